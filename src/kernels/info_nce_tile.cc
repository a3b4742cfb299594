#include "kernels/info_nce_tile.h"

#include <algorithm>

#include "kernels/cpu_level.h"
#include "kernels/vector_exp.h"

namespace rallrec::kernels {
namespace {

constexpr int kLanes = 16;

// Sixteen partial sums, so that the loop vectorises without reordering a sum behind our back.
[[gnu::always_inline]] inline float exponentiate_row(float* row, const ScoreTile& tile, float shift,
                                                     float* column_sums) {
  float lanes[kLanes] = {};
  std::int64_t j = 0;
  for (; j + kLanes <= tile.columns; j += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      const float e = vector_exp(row[j + l] * tile.scale - shift);
      row[j + l] = e;
      lanes[l] += e;
      column_sums[j + l] += e;
    }
  }
  for (; j < tile.columns; ++j) {
    const float e = vector_exp(row[j] * tile.scale - shift);
    row[j] = e;
    lanes[j % kLanes] += e;
    column_sums[j] += e;
  }
  float sum = 0.0f;
  for (float lane : lanes) {
    sum += lane;
  }
  return sum;
}

[[gnu::always_inline]] inline void exponentiate(const ScoreTile& tile, float shift, float* row_sums,
                                                float* column_sums) {
  std::fill_n(column_sums, tile.columns, 0.0f);
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    row_sums[i] = exponentiate_row(tile.scores + i * tile.stride, tile, shift, column_sums);
  }
}

void exponentiate_baseline(const ScoreTile& tile, float shift, float* rows, float* columns) {
  exponentiate(tile, shift, rows, columns);
}

[[gnu::target("avx2,fma")]] void exponentiate_avx2(const ScoreTile& tile, float shift, float* rows,
                                                   float* columns) {
  exponentiate(tile, shift, rows, columns);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] void exponentiate_avx512(
    const ScoreTile& tile, float shift, float* rows, float* columns) {
  exponentiate(tile, shift, rows, columns);
}

[[gnu::always_inline]] inline void gradient_shared(const ScoreTile& tile, float shift, float weight,
                                                   const float* row_factor,
                                                   const float* column_factor) {
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    float* row = tile.scores + i * tile.stride;
    const float factor = row_factor[i];
    for (std::int64_t j = 0; j < tile.columns; ++j) {
      row[j] = weight * vector_exp(row[j] * tile.scale - shift) * (factor + column_factor[j]);
    }
  }
}

void gradient_shared_baseline(const ScoreTile& tile, float shift, float weight, const float* rows,
                              const float* columns) {
  gradient_shared(tile, shift, weight, rows, columns);
}

[[gnu::target("avx2,fma")]] void gradient_shared_avx2(const ScoreTile& tile, float shift,
                                                      float weight, const float* rows,
                                                      const float* columns) {
  gradient_shared(tile, shift, weight, rows, columns);
}

[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]] void gradient_shared_avx512(
    const ScoreTile& tile, float shift, float weight, const float* rows, const float* columns) {
  gradient_shared(tile, shift, weight, rows, columns);
}

}  // namespace

void exponentiate_tile(const ScoreTile& tile, float shift, float* row_sums, float* column_sums) {
  static const auto kernel =
      choose_by_cpu(exponentiate_baseline, exponentiate_avx2, exponentiate_avx512);
  kernel(tile, shift, row_sums, column_sums);
}

void tile_gradient_shared(const ScoreTile& tile, float shift, float weight, const float* row_factor,
                          const float* column_factor) {
  static const auto kernel =
      choose_by_cpu(gradient_shared_baseline, gradient_shared_avx2, gradient_shared_avx512);
  kernel(tile, shift, weight, row_factor, column_factor);
}

void tile_gradient_exact(const ScoreTile& tile, float weight, const float* row_lse,
                         const float* column_lse) {
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    float* row = tile.scores + i * tile.stride;
    for (std::int64_t j = 0; j < tile.columns; ++j) {
      const float z = row[j] * tile.scale;
      row[j] = weight * (vector_exp(z - row_lse[i]) + vector_exp(z - column_lse[j]));
    }
  }
}

}  // namespace rallrec::kernels
