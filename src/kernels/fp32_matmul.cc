#include "kernels/fp32_matmul.h"

#include <algorithm>

#include "core/parallel_for.h"
#include "kernels/no_cuda.h"
#include "kernels/tile_matmul.h"

namespace rallrec::kernels {
namespace {

// Rows of A that stay in the second-level cache while panels of B pass by: whole tiles of 6 and of
// 12 rows.
constexpr std::int64_t kRowBlock = 96;
// Panels of B that one task takes.
constexpr std::int64_t kPanelBlock = 6;

}  // namespace

void fp32_matmul(const Queue& queue, const Fp32Shape& shape, const float* a, const float* b,
                 bool accumulate, float* c) {
  require_cpu(queue, "fp32_matmul");
  const std::int64_t row_blocks = (shape.rows + kRowBlock - 1) / kRowBlock;
  const std::int64_t block_columns = kPanelBlock * kPanelColumns;
  const std::int64_t column_blocks = (shape.columns + block_columns - 1) / block_columns;
  const std::int64_t panel_size = kPanelColumns * shape.depth;
  parallel_for(row_blocks * column_blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t row = task / column_blocks * kRowBlock;
      const std::int64_t column = task % column_blocks * block_columns;
      const LeftMatrix left{a + row * shape.depth, shape.depth, 1};
      const Panels right{b + column / kPanelColumns * panel_size, panel_size, kPanelColumns};
      tile_matmul(left, right, std::min(kRowBlock, shape.rows - row), shape.depth,
                  std::min(block_columns, shape.columns - column), accumulate,
                  c + row * shape.columns + column, shape.columns);
    }
  });
}

}  // namespace rallrec::kernels
