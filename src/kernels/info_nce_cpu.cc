#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/info_nce.h"
#include "kernels/info_nce_tile.h"
#include "kernels/tile_matmul.h"
#include "kernels/vector_exp.h"

namespace rallrec::kernels {
namespace {

// Scores within this of each other can share one shift of the exponent: e^-60 is still a normal
// float.
constexpr float kLargestSpread = 60.0f;
// Rows whose gradients of scores are held at once in backward.
constexpr std::int64_t kPanelRows = 2 * kTileRows;
// Columns are cut into at most this many stripes, each with its own row statistics.
constexpr std::int64_t kMostStripes = 32;

std::int64_t round_up(std::int64_t value, std::int64_t unit) {
  return (value + unit - 1) / unit * unit;
}

// A sum of exponentials, kept as e^maximum * sum.
struct LogSum {
  double maximum = -std::numeric_limits<double>::infinity();
  double sum = 0.0;

  void add(double other_maximum, double other_sum) {
    if (other_maximum > maximum) {
      sum *= std::exp(maximum - other_maximum);
      maximum = other_maximum;
    }
    sum += other_maximum == maximum ? other_sum : other_sum * std::exp(other_maximum - maximum);
  }
  double value() const { return maximum + std::log(sum); }
};

double largest_norm(const float* rows, std::int64_t count, std::int64_t width) {
  double largest = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    double square = 0.0;
    for (std::int64_t k = 0; k < width; ++k) {
      square += double{rows[i * width + k]} * rows[i * width + k];
    }
    largest = std::max(largest, square);
  }
  return std::sqrt(largest);
}

// What every tile of one call needs.
struct Pass {
  const InfoNceBlock& block;
  std::vector<float> storage;
  Panels columns;  // Y transposed, [width, columns]
  float scale;
  float shift;  // no score exceeds it (Cauchy-Schwarz)
  bool shared;  // all exponentials may use `shift`

  explicit Pass(const InfoNceBlock& b)
      : block(b), storage(packed_size(b.width, b.columns)), scale(1.0f / b.temperature) {
    columns = pack_panels(b.y, 1, b.width, b.width, b.columns, storage.data());
    shift = static_cast<float>(largest_norm(b.x, b.rows, b.width) *
                               largest_norm(b.y, b.columns, b.width)) *
            scale;
    shared = 2.0f * shift <= kLargestSpread;
  }

  void fill(const ScoreTile& tile, std::int64_t row, std::int64_t column) const {
    const Panels panels{columns.data + column / kPanelColumns * columns.panel_stride,
                        columns.panel_stride, columns.depth_stride};
    tile_matmul({block.x + row * block.width, block.width, 1}, panels, tile.rows, block.width,
                tile.columns, false, tile.scores, tile.stride);
  }
};

// Calls visit(row of the tile, column of the tile) where the tile crosses the diagonal of S.
template <typename Visit>
void for_each_positive(const ScoreTile& tile, std::int64_t global_row, std::int64_t column,
                       const Visit& visit) {
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    const std::int64_t j = global_row + i - column;
    if (j >= 0 && j < tile.columns) {
      visit(i, j);
    }
  }
}

void reduce_shared(const ScoreTile& tile, float shift, LogSum* rows, LogSum* columns) {
  float row_sums[kTileRows];
  float column_sums[kTileColumns];
  exponentiate_tile(tile, shift, row_sums, column_sums);
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    rows[i].add(shift, row_sums[i]);
  }
  for (std::int64_t j = 0; j < tile.columns; ++j) {
    columns[j].add(shift, column_sums[j]);
  }
}

// Each row and each column of the tile gets its own maximum.
void reduce_exact(const ScoreTile& tile, LogSum* rows, LogSum* columns) {
  for (std::int64_t i = 0; i < tile.rows; ++i) {
    const float* row = tile.scores + i * tile.stride;
    const float maximum = *std::max_element(row, row + tile.columns) * tile.scale;
    double sum = 0.0;
    for (std::int64_t j = 0; j < tile.columns; ++j) {
      sum += vector_exp(row[j] * tile.scale - maximum);
    }
    rows[i].add(maximum, sum);
  }
  for (std::int64_t j = 0; j < tile.columns; ++j) {
    float maximum = -std::numeric_limits<float>::infinity();
    for (std::int64_t i = 0; i < tile.rows; ++i) {
      maximum = std::max(maximum, tile.scores[i * tile.stride + j] * tile.scale);
    }
    double sum = 0.0;
    for (std::int64_t i = 0; i < tile.rows; ++i) {
      sum += vector_exp(tile.scores[i * tile.stride + j] * tile.scale - maximum);
    }
    columns[j].add(maximum, sum);
  }
}

// All rows against one stripe of columns, whose column statistics are thereby complete.
void forward_stripe(const Pass& pass, std::int64_t begin, std::int64_t end, LogSum* rows,
                    double* column_lse, float* positive) {
  const InfoNceBlock& block = pass.block;
  std::vector<float> scores(kTileRows * kTileColumns);
  for (std::int64_t column = begin; column < end; column += kTileColumns) {
    LogSum columns[kTileColumns];
    const std::int64_t width = std::min(kTileColumns, end - column);
    for (std::int64_t row = 0; row < block.rows; row += kTileRows) {
      const ScoreTile tile{scores.data(), kTileColumns, std::min(kTileRows, block.rows - row),
                           width, pass.scale};
      pass.fill(tile, row, column);
      for_each_positive(tile, block.first_row + row, column, [&](std::int64_t i, std::int64_t j) {
        positive[row + i] = tile.scores[i * tile.stride + j] * tile.scale;
      });
      if (pass.shared) {
        reduce_shared(tile, pass.shift, rows + row, columns);
      } else {
        reduce_exact(tile, rows + row, columns);
      }
    }
    for (std::int64_t j = 0; j < width; ++j) {
      column_lse[column + j] = columns[j].value();
    }
  }
}

// Per row and column the factor of tile_gradient_shared, or the lse itself for the exact form.
std::vector<float> gradient_factors(const Pass& pass, const double* lse, std::int64_t count) {
  std::vector<float> factors(count);
  for (std::int64_t i = 0; i < count; ++i) {
    factors[i] = static_cast<float>(pass.shared ? std::exp(pass.shift - lse[i]) : lse[i]);
  }
  return factors;
}

// A row-major matrix as the right operand; copied into `storage` where its width needs padding.
Panels row_major_panels(const float* data, std::int64_t rows, std::int64_t width,
                        std::vector<float>& storage) {
  if (width % kPanelColumns == 0) {
    return {data, kPanelColumns, width};
  }
  storage.resize(packed_size(rows, width));
  return pack_panels(data, width, 1, rows, width, storage.data());
}

// The gradients of the scores of up to kPanelRows rows against all columns.
struct ScorePanel {
  std::int64_t first;  // row of the block
  std::int64_t rows;
  float* gradient;
  std::int64_t stride;
};

struct Factors {
  std::vector<float> rows;
  std::vector<float> columns;
};

void fill_gradient_tile(const Pass& pass, const ScorePanel& panel, std::int64_t row,
                        std::int64_t column, float weight, const Factors& factors) {
  const std::int64_t columns = std::min(kTileColumns, pass.block.columns - column);
  const ScoreTile tile{panel.gradient + row * panel.stride + column, panel.stride,
                       std::min(kTileRows, panel.rows - row), columns, pass.scale};
  const std::int64_t block_row = panel.first + row;
  pass.fill(tile, block_row, column);
  const float* row_factors = factors.rows.data() + block_row;
  const float* column_factors = factors.columns.data() + column;
  if (pass.shared) {
    tile_gradient_shared(tile, pass.shift, weight, row_factors, column_factors);
  } else {
    tile_gradient_exact(tile, weight, row_factors, column_factors);
  }
  for_each_positive(
      tile, pass.block.first_row + block_row, column,
      [&](std::int64_t i, std::int64_t j) { tile.scores[i * tile.stride + j] -= 2.0f * weight; });
}

// Fills the panel, and adds its share to grad_y while a column's gradients are in the cache.
void backward_columns(const Pass& pass, const ScorePanel& panel, float weight,
                      const Factors& factors, float* grad_y) {
  const InfoNceBlock& block = pass.block;
  std::vector<float> storage;
  const float* x = block.x + panel.first * block.width;
  const Panels right = row_major_panels(x, panel.rows, block.width, storage);
  const std::int64_t tiles = (block.columns + kTileColumns - 1) / kTileColumns;
  parallel_for(tiles, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t column = begin * kTileColumns;
         column < std::min(end * kTileColumns, block.columns); column += kTileColumns) {
      for (std::int64_t row = 0; row < panel.rows; row += kTileRows) {
        fill_gradient_tile(pass, panel, row, column, weight, factors);
      }
      if (grad_y != nullptr) {
        tile_matmul({panel.gradient + column, 1, panel.stride}, right,
                    std::min(kTileColumns, block.columns - column), panel.rows, block.width, true,
                    grad_y + column * block.width, block.width);
      }
    }
  });
}

}  // namespace

void info_nce_forward_cpu(const InfoNceBlock& block, double* row_lse, double* column_lse,
                          float* positive) {
  if (block.rows == 0) {
    std::fill_n(column_lse, block.columns, -std::numeric_limits<double>::infinity());
    return;
  }
  const Pass pass(block);
  const std::int64_t stripe =
      round_up((block.columns + kMostStripes - 1) / kMostStripes, kTileColumns);
  const std::int64_t stripes = (block.columns + stripe - 1) / stripe;
  std::vector<LogSum> partial(stripes * block.rows);
  parallel_for(stripes, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t s = begin; s < end; ++s) {
      forward_stripe(pass, s * stripe, std::min((s + 1) * stripe, block.columns),
                     partial.data() + s * block.rows, column_lse, positive);
    }
  });
  for (std::int64_t i = 0; i < block.rows; ++i) {
    LogSum row;
    for (std::int64_t s = 0; s < stripes; ++s) {
      row.add(partial[s * block.rows + i].maximum, partial[s * block.rows + i].sum);
    }
    row_lse[i] = row.value();
  }
}

void info_nce_backward_cpu(const InfoNceBlock& block, const double* row_lse,
                           const double* column_lse, float weight, float* grad_x, float* grad_y) {
  if (block.rows == 0) {
    return;
  }
  const Pass pass(block);
  const Factors factors{gradient_factors(pass, row_lse, block.rows),
                        gradient_factors(pass, column_lse, block.columns)};
  std::vector<float> storage;
  const Panels right = row_major_panels(block.y, block.columns, block.width, storage);
  const std::int64_t stride = round_up(block.columns, kPanelColumns);
  std::vector<float> gradient(std::min(kPanelRows, block.rows) * stride);
  for (std::int64_t first = 0; first < block.rows; first += kPanelRows) {
    const ScorePanel panel{first, std::min(kPanelRows, block.rows - first), gradient.data(),
                           stride};
    backward_columns(pass, panel, weight * pass.scale, factors, grad_y);
    parallel_for(panel.rows, 12, [&](std::int64_t begin, std::int64_t end) {
      tile_matmul({panel.gradient + begin * stride, stride, 1}, right, end - begin, block.columns,
                  block.width, false, grad_x + (first + begin) * block.width, block.width);
    });
  }
}

}  // namespace rallrec::kernels
