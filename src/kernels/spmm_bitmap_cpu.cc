#include <algorithm>

#include "core/parallel_for.h"
#include "kernels/spmm.h"
#include "kernels/spmm_bitmap.h"

namespace rallrec::kernels {
namespace {

// Rows that are decoded at a time: enough to pay for a call, few enough for the cache.
constexpr std::int64_t kRowsAtOnce = 16;

// Some rows in compressed form.
struct DecodedRows {
  std::vector<std::int64_t> offsets;
  std::vector<std::int32_t> columns;
  std::vector<float> values;

  void decode(const BitmapView& matrix, std::int64_t begin, std::int64_t end) {
    offsets.assign(1, 0);
    columns.clear();
    values.clear();
    const std::int64_t words = bitmap_words(matrix.columns);
    for (std::int64_t row = begin; row < end; ++row) {
      for (std::int64_t word = 0; word < words; ++word) {
        add_bits(matrix, row, word, matrix.words[row * words + word]);
      }
      offsets.push_back(static_cast<std::int64_t>(columns.size()));
    }
  }

  void add_bits(const BitmapView& matrix, std::int64_t row, std::int64_t word, std::uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) {
      const auto column = static_cast<std::int32_t>(64 * word + __builtin_ctzll(bits));
      columns.push_back(column);
      values.push_back(matrix.row_scale[row] * matrix.column_scale[column]);
    }
  }
};

}  // namespace

void spmm_bitmap_cpu(const BitmapView& matrix, const float* x, std::int64_t width,
                     const float* addend, float scale, float* y) {
  parallel_for(matrix.rows, kRowsAtOnce, [&](std::int64_t begin, std::int64_t end) {
    DecodedRows rows;
    for (std::int64_t first = begin; first < end; first += kRowsAtOnce) {
      const std::int64_t last = std::min(first + kRowsAtOnce, end);
      rows.decode(matrix, first, last);
      const CsrView part{last - first, matrix.columns, rows.offsets.data(), rows.columns.data(),
                         rows.values.data()};
      spmm_cpu(part, x, width, addend == nullptr ? nullptr : addend + first * width, scale,
               y + first * width);
    }
  });
}

}  // namespace rallrec::kernels
