#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// The loss of samples that are labelled 0 or 1, from the logits of label 1, and its gradient:
//   loss_sum  = Σ_i log(1 + e^∓logit_i)       - where the label is 1; no logit overflows
//   slopes[i] = (σ(logit_i) - label_i) / divisor
// logits fp32 [count], labels 0 or 1 [count], slopes fp32 [count], loss_sum one double, which is
// written; everything is in the queue's memory. Computed in double; the order of the sum depends on
// count alone. On a CUDA queue the call only enqueues. Throws Error on a negative count, on a
// divisor that is not positive or on null where there is something to read or write.
void binary_cross_entropy(const Queue& queue, std::int64_t count, const float* logits,
                          const std::uint8_t* labels, double divisor, float* slopes,
                          double* loss_sum);

// σ(logit), without overflow.
double probability_of_logit(double logit);

// An exponential or a logarithm counts as one operation.
inline Work binary_cross_entropy_work(std::int64_t count) { return {9 * count + 8, 10 * count}; }

}  // namespace rallrec::kernels
