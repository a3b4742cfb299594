#include "kernels/int8_matmul.h"

#include <algorithm>
#include <string>
#include <vector>

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

// Rows [row_begin, row_end) against one panel of B, which holds columns from `column`.
void multiply_panel(const Product& product, detail::Int8Tile tile, std::int64_t row_begin,
                    std::int64_t row_end, const std::int8_t* panel, std::int64_t column) {
  const std::int64_t padded = int8_padded_depth(product.shape.depth);
  std::int32_t sums[detail::kInt8TileRows * kInt8PanelColumns];
  for (std::int64_t row = row_begin; row < row_end; row += detail::kInt8TileRows) {
    const int rows = static_cast<int>(std::min<std::int64_t>(detail::kInt8TileRows, row_end - row));
    tile(rows, padded / 2, product.a + row * padded, padded, panel, sums);
    store_tile(product, row, rows, column, sums);
  }
}

std::int64_t panels_of(std::int64_t columns) {
  return (columns + kInt8PanelColumns - 1) / kInt8PanelColumns;
}

void multiply_block(const Product& product, detail::Int8Tile tile, std::int64_t row_block,
                    std::int64_t panel_block) {
  const std::int64_t padded = int8_padded_depth(product.shape.depth);
  const std::int64_t last_panel =
      std::min(panels_of(product.shape.columns), (panel_block + 1) * kPanelBlock);
  const std::int64_t last_row = std::min(product.shape.rows, (row_block + 1) * kRowBlock);
  for (std::int64_t panel = panel_block * kPanelBlock; panel < last_panel; ++panel) {
    multiply_panel(product, tile, row_block * kRowBlock, last_row,
                   product.b + panel * kInt8PanelColumns * padded, panel * kInt8PanelColumns);
  }
}

// Panels of Bᵀ are made from the packed B, block by block of 16 × 16.
class TurnedPanels {
 public:
  explicit TurnedPanels(const Int8Shape& shape)
      : sources_(panels_of(shape.depth)),
        source_pairs_(int8_padded_depth(shape.columns) / 2),
        panels_(static_cast<std::size_t>(kPanelBlock * panel_bytes())) {}

  // Of panel `panel` of Bᵀ, kept at place `place` until it is made anew.
  const std::int8_t* make(const std::int8_t* b, std::int64_t panel, std::int64_t place) {
    const std::int64_t first_pair = panel * kInt8PanelColumns / 2;
    const std::int64_t stride = source_pairs_ * 2 * kInt8PanelColumns;
    const std::int8_t* from = b + first_pair * 2 * kInt8PanelColumns;
    std::int8_t* to = panels_.data() + place * panel_bytes();
    const std::int64_t pairs = std::min<std::int64_t>(8, source_pairs_ - first_pair);
    if (pairs == 8) {
      turn_(from, stride, sources_, to);
      return to;
    }
    std::int8_t whole[kInt8PanelColumns * kInt8PanelColumns] = {};
    for (std::int64_t source = 0; source < sources_; ++source) {
      std::copy_n(from + source * stride, pairs * 2 * kInt8PanelColumns, whole);
      turn_(whole, 0, 1, to + source * kInt8PanelColumns * kInt8PanelColumns);
    }
    return to;
  }

 private:
  std::int64_t panel_bytes() const { return sources_ * kInt8PanelColumns * kInt8PanelColumns; }

  detail::Int8TurnPanel turn_ = detail::int8_turn_panel();
  std::int64_t sources_;       // panels of B, whose columns are the depth of Bᵀ
  std::int64_t source_pairs_;  // pairs of depth in B
  std::vector<std::int8_t> panels_;
};

// A block of panels, turned once, against all rows.
void multiply_turned_block(const Product& product, detail::Int8Tile tile, TurnedPanels& turned,
                           std::int64_t panel_block) {
  const std::int64_t first = panel_block * kPanelBlock;
  const std::int64_t last = std::min(panels_of(product.shape.columns), first + kPanelBlock);
  const std::int8_t* panels[kPanelBlock];
  for (std::int64_t panel = first; panel < last; ++panel) {
    panels[panel - first] = turned.make(product.b, panel, panel - first);
  }
  for (std::int64_t row = 0; row < product.shape.rows; row += kRowBlock) {
    const std::int64_t row_end = std::min(product.shape.rows, row + kRowBlock);
    for (std::int64_t panel = first; panel < last; ++panel) {
      multiply_panel(product, tile, row, row_end, panels[panel - first], panel * kInt8PanelColumns);
    }
  }
}

void check_depth(const Queue& queue, const Int8Shape& shape, const char* name) {
  if (queue.device == Device::kCuda) {
    throw_no_cuda(name);
  }
  RALLREC_CHECK(shape.depth > 0 && shape.depth <= kInt8MaxDepth,
                std::string(name) + ": depth must be in 1…133144, or sums overflow");
}

}  // namespace

std::int64_t int8_packed_size(std::int64_t depth, std::int64_t columns) {
  return panels_of(columns) * kInt8PanelColumns * int8_padded_depth(depth);
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
  check_depth(queue, shape, "int8_matmul");
  const Product product{shape, a, a_scale, b, b_scale, accumulate, c};
  const detail::Int8Tile tile = detail::int8_tile();
  const std::int64_t row_blocks = (shape.rows + kRowBlock - 1) / kRowBlock;
  const std::int64_t panel_blocks = (panels_of(shape.columns) + kPanelBlock - 1) / kPanelBlock;
  parallel_for(row_blocks * panel_blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      multiply_block(product, tile, task / panel_blocks, task % panel_blocks);
    }
  });
}

void int8_matmul_transposed(const Queue& queue, const Int8Shape& shape, const std::int16_t* a,
                            const float* a_scale, const std::int8_t* b, bool accumulate, float* c) {
  check_depth(queue, shape, "int8_matmul_transposed");
  const Product product{shape, a, a_scale, b, nullptr, accumulate, c};
  const detail::Int8Tile tile = detail::int8_tile();
  const std::int64_t panel_blocks = (panels_of(shape.columns) + kPanelBlock - 1) / kPanelBlock;
  parallel_for(panel_blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    TurnedPanels turned(shape);
    for (std::int64_t block = begin; block < end; ++block) {
      multiply_turned_block(product, tile, turned, block);
    }
  });
}

}  // namespace rallrec::kernels
