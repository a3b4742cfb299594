#include "kernels/scaled_transpose.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/scaled_transpose_gpu.h"

namespace rallrec::kernels {
namespace {

// A tile of x and of y stay in the first-level cache.
constexpr std::int64_t kTile = 32;
constexpr std::int64_t kValuesPerThread = 1 << 15;

// Columns [first, last) of x, which are rows of y.
void transpose_columns(std::int64_t rows, std::int64_t columns, std::int64_t first,
                       std::int64_t last, float scale, const float* x, float* y) {
  for (std::int64_t row = 0; row < rows; row += kTile) {
    const std::int64_t end = std::min(row + kTile, rows);
    for (std::int64_t c = first; c < last; ++c) {
      for (std::int64_t r = row; r < end; ++r) {
        y[c * rows + r] = scale * x[r * columns + c];
      }
    }
  }
}

}  // namespace

void scaled_transpose(const Queue& queue, std::int64_t rows, std::int64_t columns, float scale,
                      const float* x, float* y) {
  RALLREC_CHECK(rows >= 0 && columns >= 0, "scaled_transpose: negative size");
  if (rows == 0 || columns == 0) {
    return;
  }
  RALLREC_CHECK(x != nullptr && y != nullptr, "scaled_transpose: null input or result");
  if (queue.device == Device::kCuda) {
    detail::scaled_transpose_gpu(queue, rows, columns, scale, x, y);
    return;
  }
  const std::int64_t tiles = (columns + kTile - 1) / kTile;
  parallel_for(tiles, kValuesPerThread / (kTile * rows) + 1,
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t tile = begin; tile < end; ++tile) {
                   transpose_columns(rows, columns, tile * kTile,
                                     std::min((tile + 1) * kTile, columns), scale, x, y);
                 }
               });
}

void scale_values(const Queue& queue, std::int64_t count, float scale, float* x) {
  RALLREC_CHECK(count >= 0, "scale_values: negative size");
  if (count == 0) {
    return;
  }
  RALLREC_CHECK(x != nullptr, "scale_values: null input");
  if (queue.device == Device::kCuda) {
    detail::scale_values_gpu(queue, count, scale, x);
    return;
  }
  parallel_for(count, kValuesPerThread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      x[i] *= scale;
    }
  });
}

}  // namespace rallrec::kernels
