// How the CPU path of info_nce cuts S. Rows of X are taken in panels, one after the other; the
// columns, which are rows of Y, are cut into stripes, the units of work of threads; within a stripe
// tiles of columns meet the panel. All cuts follow from the sizes alone, and so do the bits.
//
//            stripe 0      stripe 1      …          each stripe: its share of the panel's rows
//          ┌──┬──┬──┬──┬──┬──┬──┬──┬──┐             (row sums, gradient of X), joined in order
//  panel 0 │  │  │  │  │  │  │  │  │  │
//          ├──┼──┼──┼──┼──┼──┼──┼──┼──┤             each column: belongs to one stripe
//  panel 1 │  │  │▒▒│  │  │  │  │  │  │             (column sums, gradient of Y)
//          └──┴──┴──┴──┴──┴──┴──┴──┴──┘             ▒▒ one tile, kept transposed
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/info_nce.h"
#include "kernels/info_nce_tile.h"
#include "kernels/tile_matmul.h"

namespace rallrec::kernels {

constexpr std::int64_t kPanelRows = 192;
// Columns of a tile of backward, and the unit of stripes.
constexpr std::int64_t kTileColumns = 144;
// Columns whose scores are computed and turned into exponentials while they are in the first-level
// cache.
constexpr std::int64_t kStripColumns = 24;
constexpr std::int64_t kMostStripes = 32;
// From column to column of a tile. Not a power of two: reading a tile across its columns would
// otherwise find all of them in a few sets of the cache.
constexpr std::int64_t kTileStride = kPanelRows + kPanelColumns;

// A panel of rows with its packed copy.
struct RowPanel {
  std::int64_t first = 0;  // row of the block
  std::int64_t rows = 0;
  Panels transposed{};  // [width, rows]
};

// What every tile of one call needs. Holds references to the caller's block.
class InfoNcePass {
 public:
  explicit InfoNcePass(const InfoNceBlock& block);

  const InfoNceBlock& block() const { return block_; }
  float scale() const { return scale_; }
  // No score exceeds it (Cauchy-Schwarz).
  float shift() const { return shift_; }
  // Whether exponentials of all scores may use shift().
  bool shared() const { return shared_; }

  std::int64_t panels() const { return (block_.rows + kPanelRows - 1) / kPanelRows; }
  // Packs panel `p`, in storage that the next call takes over.
  RowPanel panel(std::int64_t p);

  std::int64_t stripes() const { return stripes_; }
  std::int64_t stripe_begin(std::int64_t s) const;

  // The scores of `columns` columns from `column` on with all rows of the panel.
  ScoreTile fill(const RowPanel& panel, std::int64_t column, std::int64_t columns,
                 float* scores) const;

 private:
  const InfoNceBlock& block_;
  float scale_;
  float shift_;
  bool shared_;
  std::int64_t stripes_;
  std::vector<float> packed_;
};

// Calls visit(row of the panel, score) for the positives in a tile that starts at `column`.
template <typename Visit>
void for_each_positive(const ScoreTile& tile, std::int64_t global_row, std::int64_t column,
                       const Visit& visit) {
  for (std::int64_t j = 0; j < tile.columns; ++j) {
    const std::int64_t i = column + j - global_row;
    if (i >= 0 && i < tile.rows) {
      visit(i, tile.scores[j * tile.stride + i]);
    }
  }
}

}  // namespace rallrec::kernels
