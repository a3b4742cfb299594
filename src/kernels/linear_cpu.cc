#include "kernels/linear_cpu.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/fp32_matmul.h"
#include "kernels/tile_matmul.h"

namespace rallrec::kernels::detail {
namespace {

// Columns of dweight that one task takes, and rows whose products it adds before the next ones: x
// of a block, packed, and dy of it stay in the second-level cache.
constexpr std::int64_t kBlockColumns = 2 * kPanelColumns;
constexpr std::int64_t kBlockRows = 256;
// Floats worth a thread of their own where they are only copied or summed.
constexpr std::int64_t kCopyGrain = 1 << 15;

using Floats = std::unique_ptr<float[]>;

// B [depth, columns], element (k, j) at source[k * depth_stride + j * column_stride], packed as
// fp32_matmul wants it. Threads share the panels.
Floats pack(const float* source, std::int64_t depth_stride, std::int64_t column_stride,
            std::int64_t depth, std::int64_t columns) {
  Floats packed(new float[static_cast<std::size_t>(packed_size(depth, columns))]);
  const std::int64_t panel = kPanelColumns * depth;
  const std::int64_t grain = kCopyGrain / std::max<std::int64_t>(panel, 1) + 1;
  parallel_for((columns + kPanelColumns - 1) / kPanelColumns, grain,
               [&](std::int64_t begin, std::int64_t end) {
                 const std::int64_t first = begin * kPanelColumns;
                 pack_panels(source + first * column_stride, depth_stride, column_stride, depth,
                             std::min(end * kPanelColumns, columns) - first,
                             packed.get() + begin * panel);
               });
  return packed;
}

// Columns [column, column + count) of dweight. Blocks of rows are added in order.
void weight_columns(const LinearShape& shape, const float* x, const float* dy, std::int64_t column,
                    std::int64_t count, float* packed, float* dweight) {
  // At least once, so that a product of no rows is 0.
  for (std::int64_t row = 0; row == 0 || row < shape.rows; row += kBlockRows) {
    const std::int64_t rows = std::min(kBlockRows, shape.rows - row);
    const Panels right =
        pack_panels(x + row * shape.inputs + column, shape.inputs, 1, rows, count, packed);
    const LeftMatrix left{dy + row * shape.outputs, 1, shape.outputs};
    tile_matmul(left, right, shape.outputs, rows, count, row > 0, dweight + column, shape.inputs);
  }
}

void bias_gradient(const LinearShape& shape, const float* dy, float* dbias) {
  std::vector<double> sums(static_cast<std::size_t>(shape.outputs));
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    const float* of_row = dy + row * shape.outputs;
    for (std::int64_t j = 0; j < shape.outputs; ++j) {
      sums[static_cast<std::size_t>(j)] += of_row[j];
    }
  }
  std::transform(sums.begin(), sums.end(), dbias,
                 [](double sum) { return static_cast<float>(sum); });
}

}  // namespace

void linear_cpu(const LinearShape& shape, const float* x, const float* weight, const float* bias,
                float* y) {
  const Floats packed = pack(weight, 1, shape.inputs, shape.inputs, shape.outputs);
  if (bias != nullptr) {
    parallel_for(shape.rows, kCopyGrain / shape.outputs + 1,
                 [&](std::int64_t begin, std::int64_t end) {
                   for (std::int64_t row = begin; row < end; ++row) {
                     std::copy_n(bias, shape.outputs, y + row * shape.outputs);
                   }
                 });
  }
  fp32_matmul({}, {shape.rows, shape.inputs, shape.outputs}, x, packed.get(), bias != nullptr, y);
}

void linear_backward_input_cpu(const LinearShape& shape, const float* dy, const float* weight,
                               float* dx) {
  const Floats packed = pack(weight, shape.inputs, 1, shape.outputs, shape.inputs);
  fp32_matmul({}, {shape.rows, shape.outputs, shape.inputs}, dy, packed.get(), false, dx);
}

void linear_backward_weight_cpu(const LinearShape& shape, const float* x, const float* dy,
                                float* dweight, float* dbias) {
  const std::int64_t blocks = (shape.inputs + kBlockColumns - 1) / kBlockColumns;
  parallel_for(blocks, 1, [&](std::int64_t begin, std::int64_t end) {
    const Floats packed(
        new float[static_cast<std::size_t>(packed_size(kBlockRows, kBlockColumns))]);
    for (std::int64_t column = begin * kBlockColumns;
         column < std::min(end * kBlockColumns, shape.inputs); column += kBlockColumns) {
      weight_columns(shape, x, dy, column, std::min(kBlockColumns, shape.inputs - column),
                     packed.get(), dweight);
    }
  });
  if (dbias != nullptr) {
    bias_gradient(shape, dy, dbias);
  }
}

}  // namespace rallrec::kernels::detail
