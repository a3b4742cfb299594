#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/small_matmul.h"

namespace rallrec::kernels {

// C [m, n] (+)= A [m, k] · B [k, n] where one of the three sizes is small, as the rank of LoRA is:
// libraries pack both factors for such products, which costs as much as the work itself. B and C
// are row-major with leading dimensions ldb and ldc; they must not overlap. Threads share rows or
// columns, and the depth is taken in blocks that stay in the cache; every element is one sum in
// order of k all the same, so bits do not depend on threads. 2 · m · n · k operations. CPU only.
void narrow_matmul(const Queue& queue, std::int64_t m, std::int64_t n, std::int64_t k,
                   const StridedMatrix& a, const float* b, std::int64_t ldb, float* c,
                   std::int64_t ldc, bool accumulate);

}  // namespace rallrec::kernels
