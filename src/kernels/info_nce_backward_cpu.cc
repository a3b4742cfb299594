#include <algorithm>
#include <cmath>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/info_nce.h"
#include "kernels/info_nce_pass.h"

namespace rallrec::kernels {
namespace {

// Per row and column the factor of tile_gradient_shared, or the lse itself for the exact form.
std::vector<float> gradient_factors(const InfoNcePass& pass, const double* lse,
                                    std::int64_t count) {
  std::vector<float> factors(count);
  for (std::int64_t i = 0; i < count; ++i) {
    factors[i] = static_cast<float>(pass.shared() ? std::exp(pass.shift() - lse[i]) : lse[i]);
  }
  return factors;
}

// One call of backward. Each tile's gradients are computed once and multiplied from both sides.
class Backward {
 public:
  Backward(const InfoNceBlock& block, const double* row_lse, const double* column_lse, float weight,
           float* grad_y)
      : block_(block),
        pass_(block),
        weight_(weight * pass_.scale()),
        row_factors_(gradient_factors(pass_, row_lse, block.rows)),
        column_factors_(gradient_factors(pass_, column_lse, block.columns)),
        rows_(packed_size(kPanelRows, block.width)),
        shares_(pass_.stripes() * kPanelRows * block.width),
        grad_y_(grad_y) {}

  void run(float* grad_x) {
    for (std::int64_t p = 0; p < pass_.panels(); ++p) {
      const RowPanel panel = pass_.panel(p);
      const float* x = block_.x + panel.first * block_.width;
      panel_rows_ = pack_panels(x, block_.width, 1, panel.rows, block_.width, rows_.data());
      parallel_for(pass_.stripes(), 1,
                   [&](std::int64_t begin, std::int64_t end) { run_stripes(panel, begin, end); });
      join_shares(panel, grad_x + panel.first * block_.width);
    }
  }

 private:
  void run_stripes(const RowPanel& panel, std::int64_t begin, std::int64_t end) {
    std::vector<float> gradients(kTileColumns * kTileStride);
    std::vector<float> columns(packed_size(kTileColumns, block_.width));
    for (std::int64_t s = begin; s < end; ++s) {
      float* share = shares_.data() + s * kPanelRows * block_.width;
      const std::int64_t first = pass_.stripe_begin(s);
      const std::int64_t last = pass_.stripe_begin(s + 1);
      for (std::int64_t column = first; column < last; column += kTileColumns) {
        const std::int64_t count = std::min(kTileColumns, last - column);
        fill_gradients(panel, column, count, gradients.data());
        multiply(panel, column, count, gradients.data(), columns.data(), column > first, share);
      }
    }
  }

  void fill_gradients(const RowPanel& panel, std::int64_t column, std::int64_t count,
                      float* gradients) const {
    const float* row_factors = row_factors_.data() + panel.first;
    for (std::int64_t j = 0; j < count; j += kStripColumns) {
      const ScoreTile tile = pass_.fill(panel, column + j, std::min(kStripColumns, count - j),
                                        gradients + j * kTileStride);
      const float* column_factors = column_factors_.data() + column + j;
      if (pass_.shared()) {
        tile_gradient_shared(tile, pass_.shift(), weight_, row_factors, column_factors);
      } else {
        tile_gradient_exact(tile, weight_, row_factors, column_factors);
      }
      for_each_positive(tile, block_.first_row + panel.first, column + j,
                        [&](std::int64_t, float& gradient) { gradient -= 2.0F * weight_; });
    }
  }

  // Y's gradient += Gᵀ · panel of X, and the stripe's share of the panel's gradient (+)= G · Y.
  void multiply(const RowPanel& panel, std::int64_t column, std::int64_t count,
                const float* gradients, float* columns, bool accumulate, float* share) const {
    const std::int64_t width = block_.width;
    if (grad_y_ != nullptr) {
      tile_matmul({gradients, kTileStride, 1}, panel_rows_, count, panel.rows, width, true,
                  grad_y_ + column * width, width);
    }
    const Panels right = pack_panels(block_.y + column * width, width, 1, count, width, columns);
    tile_matmul({gradients, 1, kTileStride}, right, panel.rows, count, width, accumulate, share,
                width);
  }

  void join_shares(const RowPanel& panel, float* grad_x) const {
    const std::int64_t stripe = kPanelRows * block_.width;
    parallel_for(panel.rows * block_.width, 4096, [&](std::int64_t begin, std::int64_t end) {
      std::copy(shares_.data() + begin, shares_.data() + end, grad_x + begin);
      for (std::int64_t s = 1; s < pass_.stripes(); ++s) {
        const float* share = shares_.data() + s * stripe;
        for (std::int64_t i = begin; i < end; ++i) {
          grad_x[i] += share[i];
        }
      }
    });
  }

  const InfoNceBlock& block_;
  InfoNcePass pass_;
  float weight_;
  std::vector<float> row_factors_;
  std::vector<float> column_factors_;
  std::vector<float> rows_;
  Panels panel_rows_{};  // the panel's rows of X, [rows, width]
  std::vector<float> shares_;
  float* grad_y_;
};

}  // namespace

void info_nce_backward_cpu(const InfoNceBlock& block, const double* row_lse,
                           const double* column_lse, float weight, float* grad_x, float* grad_y) {
  if (block.rows > 0) {
    Backward(block, row_lse, column_lse, weight, grad_y).run(grad_x);
  }
}

}  // namespace rallrec::kernels
