#pragma once

#include <cstdint>

#include "kernels/simd.h"

namespace rallrec::kernels {

// A matrix operand: element (i, j) at data[i * row_stride + j * column_stride].
struct StridedMatrix {
  const float* data;
  std::int64_t row_stride;
  std::int64_t column_stride;
};

// C [Rows, 8·Vectors] (+)= A [Rows, k] · B [k, 8·Vectors], accumulators in registers. Sums are in
// order of k and begin with C where they are added to it, so a depth that is cut in two gives the
// bits of the whole.
template <int Rows, int Vectors>
[[gnu::always_inline]] inline void matmul_tile(std::int64_t k, const StridedMatrix& a,
                                               const float* b, std::int64_t ldb, float* c,
                                               std::int64_t ldc, bool accumulate) {
  FloatLanes sums[Rows][Vectors];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (std::int64_t v = 0; v < Vectors; ++v) {
      sums[i][v] = FloatLanes{};
      if (accumulate) {
        load8(c + i * ldc + 8 * v, sums[i][v]);
      }
    }
  }
  for (std::int64_t p = 0; p < k; ++p) {
    FloatLanes row[Vectors];
#pragma GCC unroll 8
    for (std::int64_t v = 0; v < Vectors; ++v) {
      load8(b + p * ldb + 8 * v, row[v]);
    }
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      const float factor = a.data[i * a.row_stride + p * a.column_stride];
#pragma GCC unroll 8
      for (std::int64_t v = 0; v < Vectors; ++v) {
        sums[i][v] += factor * row[v];
      }
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (std::int64_t v = 0; v < Vectors; ++v) {
      store8(sums[i][v], c + i * ldc + 8 * v);
    }
  }
}

template <int Vectors>
[[gnu::always_inline]] inline void matmul_columns(std::int64_t m, std::int64_t k,
                                                  const StridedMatrix& a, const float* b,
                                                  std::int64_t ldb, float* c, std::int64_t ldc,
                                                  bool accumulate) {
  std::int64_t i = 0;
  for (; i + 6 <= m; i += 6) {
    const StridedMatrix rows{a.data + i * a.row_stride, a.row_stride, a.column_stride};
    matmul_tile<6, Vectors>(k, rows, b, ldb, c + i * ldc, ldc, accumulate);
  }
  for (; i + 3 <= m; i += 3) {
    const StridedMatrix rows{a.data + i * a.row_stride, a.row_stride, a.column_stride};
    matmul_tile<3, Vectors>(k, rows, b, ldb, c + i * ldc, ldc, accumulate);
  }
  for (; i < m; ++i) {
    const StridedMatrix row{a.data + i * a.row_stride, a.row_stride, a.column_stride};
    matmul_tile<1, Vectors>(k, row, b, ldb, c + i * ldc, ldc, accumulate);
  }
}

// One row of less than 8 columns. In lanes too, since a compiler contracts a scalar sum's
// multiplies and adds here and not there.
[[gnu::always_inline]] inline void matmul_part(std::int64_t k, const StridedMatrix& a,
                                               const float* b, std::int64_t ldb,
                                               std::int64_t columns, float* c, bool accumulate) {
  FloatLanes sum{};
  if (accumulate) {
    load_part(c, columns, 0.0F, sum);
  }
  for (std::int64_t p = 0; p < k; ++p) {
    FloatLanes row;
    load_part(b + p * ldb, columns, 0.0F, row);
    sum += a.data[p * a.column_stride] * row;
  }
  store_part(sum, columns, c);
}

// C [m, n] (+)= A [m, k] · B [k, n] for matrices that fit the cache; B and C row-major with leading
// dimensions ldb and ldc. One thread. Every element is one sum in order of k.
[[gnu::always_inline]] inline void small_matmul(std::int64_t m, std::int64_t n, std::int64_t k,
                                                const StridedMatrix& a, const float* b,
                                                std::int64_t ldb, float* c, std::int64_t ldc,
                                                bool accumulate) {
  std::int64_t j = 0;
  for (; j + 16 <= n; j += 16) {
    matmul_columns<2>(m, k, a, b + j, ldb, c + j, ldc, accumulate);
  }
  for (; j + 8 <= n; j += 8) {
    matmul_columns<1>(m, k, a, b + j, ldb, c + j, ldc, accumulate);
  }
  for (std::int64_t i = 0; j < n && i < m; ++i) {
    matmul_part(k, {a.data + i * a.row_stride, a.row_stride, a.column_stride}, b + j, ldb, n - j,
                c + i * ldc + j, accumulate);
  }
}

}  // namespace rallrec::kernels
