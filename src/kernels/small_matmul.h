#pragma once

#include <cstdint>

namespace rallrec::kernels {

// A matrix operand: element (i, j) at data[i * row_stride + j * column_stride].
struct StridedMatrix {
  const float* data;
  std::int64_t row_stride;
  std::int64_t column_stride;
};

// C [m, n] (+)= A [m, k] · B [k, n] for matrices that fit the cache; B and C row-major with leading
// dimensions ldb and ldc. One thread, instruction set chosen at run time. Every element is one sum
// in order of k that begins with C where it is added to, so a depth that is cut in two gives the
// bits of the whole.
void small_matmul(std::int64_t m, std::int64_t n, std::int64_t k, const StridedMatrix& a,
                  const float* b, std::int64_t ldb, float* c, std::int64_t ldc, bool accumulate);

}  // namespace rallrec::kernels
