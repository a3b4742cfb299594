#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/unit_rows_cpu.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void unit_rows_gpu(const Queue& queue, std::int64_t rows, const UnitRowsArguments& arguments);
void unit_rows_backward_gpu(const Queue& queue, std::int64_t rows,
                            const UnitRowsBackwardArguments& arguments);

}  // namespace rallrec::kernels::detail
