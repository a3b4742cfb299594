#pragma once

#include "core/device.h"
#include "kernels/vocabulary_head.h"

namespace rallrec::kernels::detail {

// The GPU column of vocabulary_head.h and label_loss.h: all pointers are device memory, work is
// enqueued on queue.stream. Throw where the build has no CUDA.
void head_logits_gpu(const Queue& queue, const HeadPart& part, std::int64_t rows, const float* x,
                     const std::int64_t* labels, float* logits, float* statistics);
void combine_head_statistics_gpu(const Queue& queue, std::int64_t vocabulary, std::int64_t rows,
                                 const float* statistics, const std::int64_t* labels, float* losses,
                                 float* lse);
void head_gradient_gpu(const Queue& queue, const HeadPart& part, std::int64_t rows,
                       const std::int64_t* labels, const float* lse, float loss_scale,
                       float* logits, float* partials);

// For a whole head; `rows` may be any number.
void label_loss_gpu(const Queue& queue, const HeadPart& head, std::int64_t rows, const float* x,
                    const std::int64_t* labels, double loss_scale, float* losses, float* dx);

}  // namespace rallrec::kernels::detail
