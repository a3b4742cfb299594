#pragma once

#include "core/device.h"
#include "kernels/info_nce.h"

namespace rallrec::kernels::detail {

// The GPU column of info_nce.h: all pointers are device memory, work is enqueued on queue.stream.
// Throw where the build has no CUDA.
void info_nce_forward_gpu(const Queue& queue, const InfoNceBlock& block, double* row_lse,
                          double* column_lse, float* positive);
void combine_column_lse_gpu(const Queue& queue, const double* partial, std::int64_t blocks,
                            std::int64_t columns, double* result);
void info_nce_loss_gpu(const Queue& queue, const InfoNceBlock& block, const double* row_lse,
                       const double* column_lse, const float* positive, double* sum);
void info_nce_backward_gpu(const Queue& queue, const InfoNceBlock& block, const double* row_lse,
                           const double* column_lse, float weight, float* grad_x, float* grad_y);

}  // namespace rallrec::kernels::detail
