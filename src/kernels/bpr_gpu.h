#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/bpr.h"

namespace rallrec::kernels::detail {

// The GPU column of bpr.h: all pointers are device memory, work is enqueued on queue.stream and
// nothing waits for it. Throw where the build has no CUDA.
void bpr_margins_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                     const BprBatch& batch, float* margins);
void bpr_loss_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                  const BprBatch& batch, float weight, float* slopes, double* loss_sum);
void bpr_add_gradient_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                          const BprBatch& batch, const float* slopes, const BprTargets& targets,
                          float* gradient);
void bpr_squares_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                     const BprBatch& batch, std::int64_t begin, std::int64_t end, float* squares);
void bpr_norms_gpu(const Queue& queue, const float* squares, std::int64_t count, double* norms);
void bpr_add_norm_gradient_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                               const BprBatch& batch, double weight, const double* norms,
                               const BprTargets& targets, float* gradient);

}  // namespace rallrec::kernels::detail
