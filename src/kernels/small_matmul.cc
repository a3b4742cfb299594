#include "kernels/small_matmul.h"

#include <cstring>

#include "kernels/cpu_level.h"
#include "kernels/simd.h"

namespace rallrec::kernels {
namespace {

struct Product {
  std::int64_t depth;
  StridedMatrix a;
  const float* b;
  std::int64_t ldb;
  float* c;
  std::int64_t ldc;
  bool accumulate;
};

// C [kRows, lanes · kVectors], accumulators in registers.
template <typename Lanes, int kRows, int kVectors>
[[gnu::always_inline]] inline void matmul_tile(const Product& x) {
  Lanes sums[kRows][kVectors];
#pragma GCC unroll 12
  for (std::int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (std::int64_t v = 0; v < kVectors; ++v) {
      sums[i][v] = Lanes{};
      if (x.accumulate) {
        std::memcpy(&sums[i][v], x.c + i * x.ldc + kLanesOf<Lanes> * v, sizeof(Lanes));
      }
    }
  }
  // A pointer to every fourth row: as many as there are registers for.
  const float* fours[(kRows + 3) / 4];
#pragma GCC unroll 3
  for (std::int64_t i = 0; i < kRows; i += 4) {
    fours[i / 4] = x.a.data + i * x.a.row_stride;
  }
  const float* b = x.b;
  for (std::int64_t p = 0; p < x.depth; ++p) {
    Lanes row[kVectors];
#pragma GCC unroll 2
    for (std::int64_t v = 0; v < kVectors; ++v) {
      std::memcpy(&row[v], b + kLanesOf<Lanes> * v, sizeof(Lanes));
    }
#pragma GCC unroll 12
    for (std::int64_t i = 0; i < kRows; ++i) {
      const float factor = fours[i / 4][i % 4 * x.a.row_stride];
#pragma GCC unroll 2
      for (std::int64_t v = 0; v < kVectors; ++v) {
        sums[i][v] += factor * row[v];
      }
    }
#pragma GCC unroll 3
    for (const float*& four : fours) {
      four += x.a.column_stride;
    }
    b += x.ldb;
  }
#pragma GCC unroll 12
  for (std::int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (std::int64_t v = 0; v < kVectors; ++v) {
      std::memcpy(x.c + i * x.ldc + kLanesOf<Lanes> * v, &sums[i][v], sizeof(Lanes));
    }
  }
}

// 12, 8, 4, 1 and 6, 3, 1.
constexpr int rows_of_next_tile(int rows) { return rows == 12 ? 8 : rows == 4 ? 1 : rows / 2; }

// `rows` rows of as many columns in tiles of kRows, then of fewer.
template <typename Lanes, int kRows, int kVectors>
[[gnu::always_inline]] inline void matmul_columns(std::int64_t rows, Product x) {
  for (; rows >= kRows; rows -= kRows) {
    matmul_tile<Lanes, kRows, kVectors>(x);
    x.a.data += kRows * x.a.row_stride;
    x.c += kRows * x.ldc;
  }
  if constexpr (kRows > 1) {
    matmul_columns<Lanes, rows_of_next_tile(kRows), kVectors>(rows, x);
  }
}

// One row of less than 8 columns. In lanes too, since a compiler contracts a scalar sum's
// multiplies and adds here and not there.
[[gnu::always_inline]] inline void matmul_part(const Product& x, std::int64_t columns) {
  FloatLanes sum{};
  if (x.accumulate) {
    load_part(x.c, columns, 0.0F, sum);
  }
  for (std::int64_t p = 0; p < x.depth; ++p) {
    FloatLanes row;
    load_part(x.b + p * x.ldb, columns, 0.0F, row);
    sum += x.a.data[p * x.a.column_stride] * row;
  }
  store_part(sum, columns, x.c);
}

// All whole groups of lanes · kVectors columns; x moves behind them.
template <typename Lanes, int kRows, int kVectors>
[[gnu::always_inline]] inline void matmul_groups(std::int64_t rows, std::int64_t& columns,
                                                 Product& x) {
  constexpr std::int64_t kWidth = kLanesOf<Lanes> * kVectors;
  for (; columns >= kWidth; columns -= kWidth) {
    matmul_columns<Lanes, kRows, kVectors>(rows, x);
    x.b += kWidth;
    x.c += kWidth;
  }
}

template <int kRows>
[[gnu::always_inline]] inline void matmul_rest(std::int64_t rows, std::int64_t columns, Product x) {
  matmul_groups<FloatLanes, kRows, 1>(rows, columns, x);
  for (std::int64_t i = 0; columns > 0 && i < rows; ++i) {
    matmul_part(x, columns);
    x.a.data += x.a.row_stride;
    x.c += x.ldc;
  }
}

void matmul_baseline(std::int64_t rows, std::int64_t columns, Product x) {
  matmul_groups<FloatLanes, 6, 2>(rows, columns, x);
  matmul_rest<6>(rows, columns, x);
}

[[gnu::target("avx2,fma")]] void matmul_avx2(std::int64_t rows, std::int64_t columns, Product x) {
  matmul_groups<FloatLanes, 6, 2>(rows, columns, x);
  matmul_rest<6>(rows, columns, x);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] void matmul_avx512(
    std::int64_t rows, std::int64_t columns, Product x) {
  matmul_groups<WideLanes, 12, 2>(rows, columns, x);
  matmul_groups<WideLanes, 12, 1>(rows, columns, x);
  matmul_rest<12>(rows, columns, x);
}

}  // namespace

void small_matmul(std::int64_t m, std::int64_t n, std::int64_t k, const StridedMatrix& a,
                  const float* b, std::int64_t ldb, float* c, std::int64_t ldc, bool accumulate) {
  static const auto kernel = choose_by_cpu(matmul_baseline, matmul_avx2, matmul_avx512);
  kernel(m, n, {k, a, b, ldb, c, ldc, accumulate});
}

}  // namespace rallrec::kernels
