// One tile of scores in the cache, and what the CPU path of info_nce does with it.
#pragma once

#include <cstdint>

namespace rallrec::kernels {

// Scores of `rows` rows of X and `columns` rows of Y, one column of S after the other: <x_i, y_j>
// at scores[j * stride + i]. `scale` is 1 / temperature and z_ij = scale * <x_i, y_j>.
struct ScoreTile {
  float* scores;
  std::int64_t stride;
  std::int64_t columns;
  std::int64_t rows;
  float scale;
};

// Adds the sums of exp(z - shift) over the tile's columns to row_sums[rows] and writes those over
// its rows to column_sums[columns]. The scores are only read.
void sum_exponentials_shared(const ScoreTile& tile, float shift, float* row_sums,
                             float* column_sums);

// The largest z of each row, joined with what row_maxima[rows] holds, and of each column.
void tile_maxima(const ScoreTile& tile, float* row_maxima, float* column_maxima);

// As sum_exponentials_shared, but every row and every column has a shift of its own: one
// exponential per direction, for scores that spread too far for a common shift.
void sum_exponentials_exact(const ScoreTile& tile, const float* row_shifts,
                            const float* column_shifts, float* row_sums, float* column_sums);

// Replaces each score by its gradient without the positive's part,
//   weight * (exp(z - row_lse) + exp(z - column_lse)),
// with one exponential: row_factor[i] = exp(shift - row_lse_i), column_factor[j] likewise.
void tile_gradient_shared(const ScoreTile& tile, float shift, float weight, const float* row_factor,
                          const float* column_factor);

// The same with one exponential per direction.
void tile_gradient_exact(const ScoreTile& tile, float weight, const float* row_lse,
                         const float* column_lse);

}  // namespace rallrec::kernels
