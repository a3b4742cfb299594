#pragma once

#include <cuda_runtime.h>

#include <cstddef>

#include "distributed/communicator.h"

namespace rallrec::distributed {

// reduce_pieces (reduction.h) on the device, for kFloat32 and kFloat64: the same additions in the
// same order, so the same bits as on the host. Device memory, on `stream`. `output` may be
// pieces[0] but not overlap them otherwise. Bytes: (parts + 1) · count elements, each once.
void reduce_pieces_gpu(void* output, const void* pieces, int parts, std::size_t count, DType dtype,
                       ReduceOp op, cudaStream_t stream);

}  // namespace rallrec::distributed
