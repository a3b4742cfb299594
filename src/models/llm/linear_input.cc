#include "models/llm/linear_input.h"

#include <algorithm>

namespace rallrec::models::llm {
namespace {

std::int64_t slots_of(std::int64_t depth) {
  return std::max(std::min<std::int64_t>(depth, 64), depth / 8);
}

}  // namespace

DeviceQuantized quantize_in(Arena& arena, const Rows& x, const float* column_scale,
                            const kernels::OutlierRule& rule) {
  const std::int64_t slots = slots_of(x.columns);
  const DeviceQuantized quantized{
      arena.array<std::int8_t>(x.count()),
      arena.array<float>(x.rows),
      {slots, arena.array<std::int32_t>(x.rows), arena.array<std::int32_t>(x.rows * slots),
       arena.array<float>(x.rows * slots)}};
  kernels::int8_quantize(arena.queue(), x.rows, x.columns, {x.data, column_scale, &rule},
                         quantized.q, quantized.scale, quantized.outliers);
  return quantized;
}

}  // namespace rallrec::models::llm
