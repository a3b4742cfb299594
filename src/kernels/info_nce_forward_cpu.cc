#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/info_nce.h"
#include "kernels/info_nce_pass.h"

namespace rallrec::kernels {
namespace {

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

// Statistics of one strip of columns with all rows of a panel.
struct StripSums {
  float row_shifts[kPanelRows];
  float row_sums[kPanelRows];
  float column_shifts[kStripColumns];
  float column_sums[kStripColumns];
};

void sum_strip(const InfoNcePass& pass, const ScoreTile& tile, StripSums& sums) {
  std::fill_n(sums.row_sums, tile.rows, 0.0F);
  if (pass.shared()) {
    std::fill_n(sums.row_shifts, tile.rows, pass.shift());
    std::fill_n(sums.column_shifts, tile.columns, pass.shift());
    sum_exponentials_shared(tile, pass.shift(), sums.row_sums, sums.column_sums);
  } else {
    std::fill_n(sums.row_shifts, tile.rows, -std::numeric_limits<float>::infinity());
    tile_maxima(tile, sums.row_shifts, sums.column_shifts);
    sum_exponentials_exact(tile, sums.row_shifts, sums.column_shifts, sums.row_sums,
                           sums.column_sums);
  }
}

// One stripe of columns with all rows of a panel: `rows` are the stripe's sums of the panel's rows,
// `columns` those of all columns.
void forward_stripe(const InfoNcePass& pass, const RowPanel& panel, std::int64_t stripe,
                    LogSum* rows, LogSum* columns, float* positive) {
  alignas(64) float scores[kStripColumns * kTileStride];
  StripSums sums;
  const std::int64_t end = pass.stripe_begin(stripe + 1);
  std::fill_n(rows, panel.rows, LogSum());
  for (std::int64_t column = pass.stripe_begin(stripe); column < end; column += kStripColumns) {
    const ScoreTile tile = pass.fill(panel, column, std::min(kStripColumns, end - column), scores);
    for_each_positive(
        tile, pass.block().first_row + panel.first, column,
        [&](std::int64_t i, float score) { positive[panel.first + i] = score * pass.scale(); });
    sum_strip(pass, tile, sums);
    for (std::int64_t i = 0; i < tile.rows; ++i) {
      rows[i].add(sums.row_shifts[i], sums.row_sums[i]);
    }
    for (std::int64_t j = 0; j < tile.columns; ++j) {
      columns[column + j].add(sums.column_shifts[j], sums.column_sums[j]);
    }
  }
}

}  // namespace

void info_nce_forward_cpu(const InfoNceBlock& block, double* row_lse, double* column_lse,
                          float* positive) {
  if (block.rows == 0) {
    std::fill_n(column_lse, block.columns, -std::numeric_limits<double>::infinity());
    return;
  }
  InfoNcePass pass(block);
  std::vector<LogSum> rows(pass.stripes() * kPanelRows);
  std::vector<LogSum> columns(block.columns);
  for (std::int64_t p = 0; p < pass.panels(); ++p) {
    const RowPanel panel = pass.panel(p);
    parallel_for(pass.stripes(), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t s = begin; s < end; ++s) {
        forward_stripe(pass, panel, s, rows.data() + s * kPanelRows, columns.data(), positive);
      }
    });
    for (std::int64_t i = 0; i < panel.rows; ++i) {
      LogSum row;
      for (std::int64_t s = 0; s < pass.stripes(); ++s) {
        row.add(rows[s * kPanelRows + i].maximum, rows[s * kPanelRows + i].sum);
      }
      row_lse[panel.first + i] = row.value();
    }
  }
  for (std::int64_t j = 0; j < block.columns; ++j) {
    column_lse[j] = columns[j].value();
  }
}

}  // namespace rallrec::kernels
