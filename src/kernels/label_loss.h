#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/vocabulary_head.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Cross-entropy on label rows through a whole head, with logits z_i = W x_i:
//   losses[i] = log Σ_v exp(z_iv) − z_i,label(i)
//   dx_i      = loss_scale · Σ_v (softmax(z_i)_v − [v = label(i)]) W_v
//
// x and dx are fp32 [rows, hidden]; dx may be null and may not be x; losses fp32 [rows]; labels
// [rows] in [0, vocabulary). The vocabulary goes by in 64 blocks, whose sums are combined as a
// balanced tree, so a row's bits do not depend on the other rows or on the threads, and a head that
// is cut over ranks gives the same ones. At most 64 rows of logits are in memory.
// 4 · rows · vocabulary · hidden operations with dx; W is read twice per 64 rows, so few rows cost
// as much as 64. On a CUDA queue everything is device memory, the call is enqueued and returns, and
// a label outside the vocabulary gives its row the loss NaN.
void label_loss(const Queue& queue, const HeadPart& head, std::int64_t rows, const float* x,
                const std::int64_t* labels, double loss_scale, float* losses, float* dx);

// With dx, for a head of `bytes_per_weight` (2 for bf16); scratch memory not counted.
inline Work label_loss_work(const HeadPart& head, std::int64_t rows,
                            std::int64_t bytes_per_weight) {
  const std::int64_t weights = head.vocabulary * head.hidden;
  const std::int64_t chunks = (rows + kHeadRows - 1) / kHeadRows;
  return {2 * chunks * weights * bytes_per_weight + 4 * rows * (2 * head.hidden + 3),
          4 * rows * weights};
}

}  // namespace rallrec::kernels
