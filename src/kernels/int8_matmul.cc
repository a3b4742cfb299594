#include "kernels/int8_matmul.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/int8_matmul_cpu.h"
#include "kernels/no_cuda.h"

namespace rallrec::kernels {
namespace {

// Rows of A that stay in the second-level cache while panels of B pass by.
constexpr std::int64_t kRowBlock = 96;
// Panels of B that one task takes.
constexpr std::int64_t kPanelBlock = 6;

struct Product {
  Int8Shape shape;
  const std::int16_t* a;
  const float* a_scale;
  const std::int8_t* b;
  const float* b_scale;
  bool accumulate;
  float* c;
};

void store_tile(const Product& product, std::int64_t row, int rows, std::int64_t column,
                const std::int32_t* sums) {
  const std::int64_t count = std::min(kInt8PanelColumns, product.shape.columns - column);
  for (int i = 0; i < rows; ++i) {
    float* c = product.c + (row + i) * product.shape.columns + column;
    const std::int32_t* sum = sums + i * kInt8PanelColumns;
    const float a_scale = product.a_scale[row + i];
    for (std::int64_t j = 0; j < count; ++j) {
      const float scale =
          product.b_scale == nullptr ? a_scale : a_scale * product.b_scale[column + j];
      const float value = scale * static_cast<float>(sum[j]);
      c[j] = product.accumulate ? c[j] + value : value;
    }
  }
}

void multiply_block(const Product& product, detail::Int8Tile tile, std::int64_t row_block,
                    std::int64_t panel_block) {
  const std::int64_t padded = int8_padded_depth(product.shape.depth);
  const std::int64_t panels = (product.shape.columns + kInt8PanelColumns - 1) / kInt8PanelColumns;
  const std::int64_t last_panel = std::min(panels, (panel_block + 1) * kPanelBlock);
  const std::int64_t last_row = std::min(product.shape.rows, (row_block + 1) * kRowBlock);
  std::int32_t sums[detail::kInt8TileRows * kInt8PanelColumns];
  for (std::int64_t panel = panel_block * kPanelBlock; panel < last_panel; ++panel) {
    const std::int8_t* b = product.b + panel * kInt8PanelColumns * padded;
    for (std::int64_t row = row_block * kRowBlock; row < last_row; row += detail::kInt8TileRows) {
      const int rows =
          static_cast<int>(std::min<std::int64_t>(detail::kInt8TileRows, last_row - row));
      tile(rows, padded / 2, product.a + row * padded, padded, b, sums);
      store_tile(product, row, rows, panel * kInt8PanelColumns, sums);
    }
  }
}

}  // namespace

std::int64_t int8_packed_size(std::int64_t depth, std::int64_t columns) {
  const std::int64_t panels = (columns + kInt8PanelColumns - 1) / kInt8PanelColumns;
  return panels * kInt8PanelColumns * int8_padded_depth(depth);
}

void pack_int8(const std::int8_t* source, std::int64_t depth_stride, std::int64_t column_stride,
               std::int64_t depth, std::int64_t columns, std::int8_t* packed) {
  const std::int64_t padded = int8_padded_depth(depth);
  std::fill_n(packed, int8_packed_size(depth, columns), std::int8_t{0});
  for (std::int64_t j = 0; j < columns; ++j) {
    std::int8_t* panel = packed + j / kInt8PanelColumns * kInt8PanelColumns * padded;
    for (std::int64_t k = 0; k < depth; ++k) {
      panel[k / 2 * 2 * kInt8PanelColumns + j % kInt8PanelColumns * 2 + k % 2] =
          source[k * depth_stride + j * column_stride];
    }
  }
}

void int8_matmul(const Queue& queue, const Int8Shape& shape, const std::int16_t* a,
                 const float* a_scale, const std::int8_t* b, const float* b_scale, bool accumulate,
                 float* c) {
  if (queue.device == Device::kCuda) {
    throw_no_cuda("int8_matmul");
  }
  RALLREC_CHECK(shape.depth > 0 && shape.depth <= kInt8MaxDepth,
                "int8_matmul: depth must be in 1…133144, or sums overflow");
  const Product product{shape, a, a_scale, b, b_scale, accumulate, c};
  const detail::Int8Tile tile = detail::int8_tile();
  const std::int64_t row_blocks = (shape.rows + kRowBlock - 1) / kRowBlock;
  const std::int64_t panels = (shape.columns + kInt8PanelColumns - 1) / kInt8PanelColumns;
  const std::int64_t panel_blocks = (panels + kPanelBlock - 1) / kPanelBlock;
  parallel_for(row_blocks * panel_blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      multiply_block(product, tile, task / panel_blocks, task % panel_blocks);
    }
  });
}

}  // namespace rallrec::kernels
