#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/small_matmul.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// C [m, n] (+)= A [m, k] · B [k, n] where one of the three sizes is small, as the rank of LoRA is:
// libraries pack both factors for such products, which costs as much as the work itself. All fp32
// in the queue's memory; A has any strides, B and C are row-major with leading dimensions ldb and
// ldc, and C overlaps neither A nor B. On a CUDA queue the call only enqueues. Throws Error on a
// negative size, a leading dimension below n, or null where there is something to read or write.
//
// On the CPU threads share rows or columns, and the depth is taken in blocks that stay in the
// cache; every element is one sum in order of k all the same, which begins with C where it is added
// to. On CUDA every element is S sums, sum s over k = s, s + S, s + 2S, … in that order; they are
// added in the order of s, and the total to C. n and k settle S. So an element's bits depend on its
// row of A, its column of B, n and k, and not on m, the rows beside it or threads.
void narrow_matmul(const Queue& queue, std::int64_t m, std::int64_t n, std::int64_t k,
                   const StridedMatrix& a, const float* b, std::int64_t ldb, float* c,
                   std::int64_t ldc, bool accumulate);

inline Work narrow_matmul_work(std::int64_t m, std::int64_t n, std::int64_t k, bool accumulate) {
  return {4 * (m * k + k * n + (accumulate ? 2 : 1) * m * n), 2 * m * n * k};
}

}  // namespace rallrec::kernels
