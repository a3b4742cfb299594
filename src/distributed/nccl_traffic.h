#pragma once

#include <cuda_runtime.h>
#include <nccl.h>

#include "distributed/collective.h"

namespace rallrec::distributed {

ncclDataType_t nccl_type(DType dtype);
ncclRedOp_t nccl_op(ReduceOp op);

// One rank's view of a group while a collective is put on a stream.
struct NcclLane {
  ncclComm_t comm;
  cudaStream_t stream;
  int rank;
  int size;
};

// Each enqueues one group of NCCL's calls and returns the result of its end (ncclInProgress for a
// non-blocking communicator, which is then to be asked until it is through).

// Sends to every rank, itself included, its segment of `input` and receives every rank's segment
// into `output`.
ncclResult_t exchange(const NcclLane& lane, const void* input, void* output, const Route& route,
                      DType dtype);
// Rank r's counts[r] elements to everybody, one behind the other.
ncclResult_t gather_to_all(const NcclLane& lane, const void* input, void* output,
                           const std::vector<std::size_t>& counts, DType dtype);

}  // namespace rallrec::distributed
