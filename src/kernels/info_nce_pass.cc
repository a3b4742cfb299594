#include "kernels/info_nce_pass.h"

#include <algorithm>
#include <cmath>

#include "core/parallel_for.h"

namespace rallrec::kernels {
namespace {

// Scores within this of each other can share one shift of the exponent: e^-60 is still a normal
// float.
constexpr float kLargestSpread = 60.0F;

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

std::int64_t tiles_of(std::int64_t columns) { return (columns + kTileColumns - 1) / kTileColumns; }

// Asks for what the next call will read first, while this one computes.
void prefetch(const float* from, std::int64_t count) {
  constexpr std::int64_t kLine = 16;
  for (std::int64_t i = 0; i < count; i += kLine) {
    __builtin_prefetch(from + i, 0, 2);
  }
}

}  // namespace

InfoNcePass::InfoNcePass(const InfoNceBlock& block)
    : block_(block),
      scale_(1.0F / block.temperature),
      shift_(static_cast<float>(largest_norm(block.x, block.rows, block.width) *
                                largest_norm(block.y, block.columns, block.width)) *
             scale_),
      shared_(2.0F * shift_ <= kLargestSpread),
      stripes_(std::min(tiles_of(block.columns), kMostStripes)),
      packed_(packed_size(block.width, std::min(kPanelRows, block.rows))) {}

RowPanel InfoNcePass::panel(std::int64_t p) {
  RowPanel panel;
  panel.first = p * kPanelRows;
  panel.rows = std::min(kPanelRows, block_.rows - panel.first);
  const float* x = block_.x + panel.first * block_.width;
  panel.transposed = pack_panels(x, 1, block_.width, block_.width, panel.rows, packed_.data());
  return panel;
}

std::int64_t InfoNcePass::stripe_begin(std::int64_t s) const {
  return std::min(tiles_of(block_.columns) * s / stripes_ * kTileColumns, block_.columns);
}

ScoreTile InfoNcePass::fill(const RowPanel& panel, std::int64_t column, std::int64_t columns,
                            float* scores) const {
  const std::int64_t next = std::min(kStripColumns, block_.columns - column - columns);
  prefetch(block_.y + (column + columns) * block_.width, next * block_.width);
  tile_matmul({block_.y + column * block_.width, block_.width, 1}, panel.transposed, columns,
              block_.width, panel.rows, false, scores, kTileStride);
  return {scores, kTileStride, columns, panel.rows, scale_};
}

}  // namespace rallrec::kernels
