#include "models/llm/int8_layer_source.h"

#include <algorithm>

#include "kernels/int8_matmul.h"
#include "models/llm/int8_linear.h"

namespace rallrec::models::llm {
namespace {

using Matrix = Int8LayerLayout::Matrix;

constexpr std::int64_t kPanelRows = kernels::kInt8PanelColumns;
// Panels that are read as fp32 and quantised at a time.
constexpr std::size_t kPanelsPerRead = 16;

// Reads, quantises and packs the matrix's panels [first, last), to be appended.
void append_panels(const TensorSource& source, const std::string& name, const Matrix& matrix,
                   std::size_t first, std::size_t last, Int8Panels& to) {
  const std::int64_t row = static_cast<std::int64_t>(first) * kPanelRows;
  const std::int64_t rows =
      std::min(matrix.out, static_cast<std::int64_t>(last) * kPanelRows) - row;
  const at::Tensor values = source(name, {matrix.out, matrix.in}, {row, rows}).contiguous();
  std::vector<std::int8_t> quantised(static_cast<std::size_t>(rows * matrix.in));
  const std::size_t scales = to.scales.size();
  to.scales.resize(scales + (last - first) * static_cast<std::size_t>(kPanelRows));
  kernels::quantize_weight_rows(rows, matrix.in, values.const_data_ptr<float>(), quantised.data(),
                                to.scales.data() + scales);
  const std::size_t bytes = to.bytes.size();
  to.bytes.resize(bytes + (last - first) * matrix.panel_bytes);
  kernels::pack_int8(quantised.data(), 1, matrix.in, matrix.in, rows, to.bytes.data() + bytes);
}

// The panels of `range` that belong to the matrix; first = last where there are none.
Int8LayerLayout::PanelRange part_of(const Matrix& matrix, Int8LayerLayout::PanelRange range) {
  const std::size_t first = std::max(range.first, matrix.first_panel);
  return {first, std::max(first, std::min(range.last, matrix.first_panel + matrix.panels))};
}

// Growing step by step would hold the panels twice.
void reserve(const Int8LayerLayout& layout, Int8LayerLayout::PanelRange range, Int8Panels& panels) {
  std::size_t bytes = 0;
  for (const Linear linear : kLinears) {
    const auto part = part_of(layout[linear], range);
    bytes += (part.last - part.first) * layout[linear].panel_bytes;
  }
  panels.bytes.reserve(bytes);
  panels.scales.reserve((range.last - range.first) * static_cast<std::size_t>(kPanelRows));
}

}  // namespace

Int8Panels load_panels(const LlmConfig& config, const Int8LayerLayout& layout, std::int64_t layer,
                       Int8LayerLayout::PanelRange range, const TensorSource& source,
                       Int8LayerCache& cache) {
  for (const Linear linear : kLinears) {
    const LinearSize size = size_of(config, linear);
    source(weight_name(layer, linear), {size.out, size.in}, {0, 0});
  }
  Int8Panels panels;
  if (cache.read(layer, layout, range, panels.bytes, panels.scales)) {
    return panels;
  }
  reserve(layout, range, panels);
  for (const Linear linear : kLinears) {
    const Matrix& matrix = layout[linear];
    const auto part = part_of(matrix, range);
    for (std::size_t panel = part.first; panel < part.last; panel += kPanelsPerRead) {
      const std::size_t end = std::min(part.last, panel + kPanelsPerRead);
      append_panels(source, weight_name(layer, linear), matrix, panel - matrix.first_panel,
                    end - matrix.first_panel, panels);
    }
  }
  return panels;
}

void view_linears(const Int8LayerLayout& layout, QuantMode mode, const Int8Panels& panels,
                  WideLayer& wide, LayerWeights& weights) {
  for (const Linear linear : kLinears) {
    const Matrix& matrix = layout[linear];
    const kernels::Int8Packed view{
        matrix.in, matrix.out, panels.bytes.data() + matrix.offset,
        panels.scales.data() + matrix.first_panel * static_cast<std::size_t>(kPanelRows)};
    weights.linears[static_cast<std::size_t>(linear)] = make_int8_linear(mode, view, wide[linear]);
  }
}

}  // namespace rallrec::models::llm
