// One tile of scores in the cache, and what the CPU path of info_nce does with it.
#pragma once

#include <cstdint>

namespace rallrec::kernels {

constexpr std::int64_t kTileRows = 48;
constexpr std::int64_t kTileColumns = 128;

// Scores of `rows` × `columns` pairs, row-major with kTileColumns floats from row to row where
// `stride` does not say otherwise. Values are <x, y>; `scale` is 1 / temperature.
struct ScoreTile {
  float* scores;
  std::int64_t stride;
  std::int64_t rows;
  std::int64_t columns;
  float scale;
};

// Replaces each score by e = exp(scale * score - shift) and writes the sums of e over columns and
// over rows: row_sums[rows], column_sums[columns].
void exponentiate_tile(const ScoreTile& tile, float shift, float* row_sums, float* column_sums);

// Replaces each score by its gradient without the positive's part:
//   weight * (exp(z - row_lse) + exp(z - column_lse)), z = scale * score,
// with one exponential: row_factor[i] = exp(shift - row_lse_i), column_factor[j] likewise.
void tile_gradient_shared(const ScoreTile& tile, float shift, float weight, const float* row_factor,
                          const float* column_factor);

// The same with one exponential per direction, for scores that spread too far for a common shift.
void tile_gradient_exact(const ScoreTile& tile, float weight, const float* row_lse,
                         const float* column_lse);

}  // namespace rallrec::kernels
