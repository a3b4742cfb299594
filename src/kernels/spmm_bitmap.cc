#include "kernels/spmm_bitmap.h"

#include <algorithm>

#include "core/check.h"
#include "kernels/spmm_bitmap_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kEntriesPerTile = kBitmapTileRows * 64 / 32;

void set_row(const CsrView& matrix, std::int64_t row, std::uint64_t* words) {
  for (std::int64_t e = matrix.row_offsets[row]; e < matrix.row_offsets[row + 1]; ++e) {
    const std::int64_t column = matrix.column_indices[e];
    RALLREC_CHECK(column >= 0 && column < matrix.columns, "make_bitmap: a column is outside");
    const std::uint64_t bit = std::uint64_t{1} << (column % 64);
    RALLREC_CHECK((words[column / 64] & bit) == 0, "make_bitmap: an element is there twice");
    words[column / 64] |= bit;
  }
}

}  // namespace

Bitmap make_bitmap(const CsrView& matrix) {
  RALLREC_CHECK(matrix.rows >= 0 && matrix.columns >= 0, "make_bitmap: negative size");
  Bitmap bitmap;
  bitmap.rows = matrix.rows;
  bitmap.columns = matrix.columns;
  const std::int64_t words = bitmap_words(matrix.columns);
  bitmap.words.resize(static_cast<std::size_t>(matrix.rows * words));
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    set_row(matrix, row, bitmap.words.data() + row * words);
  }
  bitmap.fill = bitmap_fill(matrix);
  return bitmap;
}

BitmapFill bitmap_fill(const CsrView& matrix) {
  BitmapFill fill;
  // The last row of tiles in which a word was met.
  std::vector<std::int64_t> met(static_cast<std::size_t>(bitmap_words(matrix.columns)), -1);
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    const std::int64_t of = row / kBitmapTileRows;
    for (std::int64_t e = matrix.row_offsets[row]; e < matrix.row_offsets[row + 1]; ++e) {
      std::int64_t& last = met[static_cast<std::size_t>(matrix.column_indices[e] / 64)];
      fill.tiles += last != of ? 1 : 0;
      last = of;
      ++fill.entries;
    }
  }
  return fill;
}

bool prefer_bitmap(Device device, const BitmapFill& fill) {
  return device == Device::kCuda && fill.tiles > 0 && fill.entries >= kEntriesPerTile * fill.tiles;
}

void spmm_bitmap(const Queue& queue, const BitmapView& matrix, const float* x, std::int64_t width,
                 const float* addend, float scale, float* y) {
  RALLREC_CHECK(matrix.rows >= 0 && matrix.columns >= 0 && width >= 0,
                "spmm_bitmap: negative size");
  if (matrix.rows == 0 || width == 0) {
    return;
  }
  RALLREC_CHECK(matrix.row_scale != nullptr && y != nullptr, "spmm_bitmap: null scale or result");
  RALLREC_CHECK(matrix.columns == 0 ||
                    (matrix.words != nullptr && matrix.column_scale != nullptr && x != nullptr),
                "spmm_bitmap: null matrix or input");
  RALLREC_CHECK(x != y, "spmm_bitmap: the result must not be the input");
  if (queue.device == Device::kCuda) {
    detail::spmm_bitmap_gpu(queue, matrix, x, width, addend, scale, y);
  } else {
    spmm_bitmap_cpu(matrix, x, width, addend, scale, y);
  }
}

}  // namespace rallrec::kernels
