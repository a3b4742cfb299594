#pragma once

#include "kernels/vocabulary_head.h"

namespace rallrec::kernels::detail {

void head_logits_cpu(const HeadPart& part, std::int64_t rows, const float* x,
                     const std::int64_t* labels, float* logits, float* statistics);
void head_gradient_cpu(const HeadPart& part, std::int64_t rows, const std::int64_t* labels,
                       const float* lse, float loss_scale, float* logits, float* partials);

}  // namespace rallrec::kernels::detail
