#include <algorithm>

#include "core/parallel_for.h"
#include "kernels/cpu_level.h"
#include "kernels/spmm.h"
#include "kernels/vector_types.h"

namespace rallrec::kernels {
namespace {

struct Dense {
  const float* x;
  std::int64_t width;
  const float* addend;
  float scale;
  float* y;
};

// Sums kVectors * 8 columns of one row in registers.
template <int kVectors>
[[gnu::always_inline]] inline void sum_vectors(const CsrView& a, std::int64_t row,
                                               std::int64_t column, const Dense& d) {
  Float8 sum[kVectors] = {};
  for (std::int64_t e = a.row_offsets[row]; e < a.row_offsets[row + 1]; ++e) {
    const float* x = d.x + a.column_indices[e] * d.width + column;
    const float value = a.values[e];
#pragma GCC unroll 8
    for (std::int64_t v = 0; v < kVectors; ++v) {
      sum[v] += value * *reinterpret_cast<const Float8*>(x + 8 * v);
    }
  }
  const std::int64_t at = row * d.width + column;
#pragma GCC unroll 8
  for (std::int64_t v = 0; v < kVectors; ++v) {
    if (d.addend != nullptr) {
      sum[v] += *reinterpret_cast<const Float8*>(d.addend + at + 8 * v);
    }
    *reinterpret_cast<Float8*>(d.y + at + 8 * v) = d.scale * sum[v];
  }
}

[[gnu::always_inline]] inline void sum_scalar(const CsrView& a, std::int64_t row,
                                              std::int64_t column, const Dense& d) {
  float sum = 0.0f;
  for (std::int64_t e = a.row_offsets[row]; e < a.row_offsets[row + 1]; ++e) {
    sum += a.values[e] * d.x[a.column_indices[e] * d.width + column];
  }
  const std::int64_t at = row * d.width + column;
  d.y[at] = d.scale * (d.addend != nullptr ? sum + d.addend[at] : sum);
}

[[gnu::always_inline]] inline void sum_rows(const CsrView& a, std::int64_t begin, std::int64_t end,
                                            const Dense& d) {
  for (std::int64_t row = begin; row < end; ++row) {
    std::int64_t column = 0;
    for (; column + 64 <= d.width; column += 64) {
      sum_vectors<8>(a, row, column, d);
    }
    for (; column + 16 <= d.width; column += 16) {
      sum_vectors<2>(a, row, column, d);
    }
    for (; column < d.width; ++column) {
      sum_scalar(a, row, column, d);
    }
  }
}

void sum_rows_baseline(const CsrView& a, std::int64_t begin, std::int64_t end, const Dense& d) {
  sum_rows(a, begin, end, d);
}

[[gnu::target("avx2,fma")]] void sum_rows_avx2(const CsrView& a, std::int64_t begin,
                                               std::int64_t end, const Dense& d) {
  sum_rows(a, begin, end, d);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] void sum_rows_avx512(
    const CsrView& a, std::int64_t begin, std::int64_t end, const Dense& d) {
  sum_rows(a, begin, end, d);
}

// The first row at or after which `share` of the entries lies: threads get equal work although a
// few rows hold most entries.
std::int64_t row_at(const CsrView& a, std::int64_t part, std::int64_t parts) {
  if (part == parts) {
    return a.rows;
  }
  const std::int64_t first = a.row_offsets[0];
  const std::int64_t entry = first + (a.row_offsets[a.rows] - first) * part / parts;
  return std::lower_bound(a.row_offsets, a.row_offsets + a.rows, entry) - a.row_offsets;
}

}  // namespace

void spmm_cpu(const CsrView& matrix, const float* x, std::int64_t width, const float* addend,
              float scale, float* y) {
  static const auto rows_kernel = choose_by_cpu(sum_rows_baseline, sum_rows_avx2, sum_rows_avx512);
  const Dense dense{x, width, addend, scale, y};
  // row_at(…, 0, …) is not row 0 where leading rows are empty, hence the explicit first border.
  const std::int64_t parts = std::min<std::int64_t>(matrix.rows, std::int64_t{8} * thread_count());
  parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first = begin == 0 ? 0 : row_at(matrix, begin, parts);
    rows_kernel(matrix, first, row_at(matrix, end, parts), dense);
  });
}

}  // namespace rallrec::kernels
