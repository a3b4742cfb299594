#include "models/llm/lora_branch.h"

#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

std::uint8_t* draw_mask(const LayerLora& lora, Linear linear, const BatchRows& rows,
                        std::int64_t channels, Arena& arena) {
  auto* mask = arena.array<std::uint8_t>(rows.count() * kernels::dropout_mask_bytes(channels));
  const kernels::DropoutStream stream{lora.key.seed, lora.key.epoch, lora.layer,
                                      static_cast<std::int64_t>(linear)};
  ops::dropout_mask(arena.queue(), stream, lora.rate(), *lora.samples, rows.offsets,
                    rows.positions.data(), channels, mask);
  return mask;
}

// dropout(x), or x itself where nothing is dropped.
Rows dropped(const LayerLora& lora, const std::uint8_t* mask, const Rows& x, Arena& scratch) {
  if (mask == nullptr) {
    return x;
  }
  const Rows y = scratch.floats(x.rows, x.columns);
  ops::dropout_apply(scratch.queue(), lora.rate(), mask, x, false, y);
  return y;
}

// scale times the transpose of an adapter's matrix: a few rows of the layer's width.
Rows turned(double scale, const Rows& matrix, Arena& scratch) {
  const Rows result = scratch.floats(matrix.columns, matrix.rows);
  ops::scaled_transpose(scratch.queue(), scale, matrix, result);
  return result;
}

}  // namespace

void lora_forward(const LayerLora& lora, Linear linear, const BatchRows& rows, const Rows& x,
                  const Rows& y, Arena& scratch, Arena* keep, LoraKept* kept) {
  if (!lora.adapts(linear)) {
    return;
  }
  const ArenaScope scope(scratch);
  const Queue& queue = scratch.queue();
  const LoraLayout& layout = lora.adapter->layout;
  Arena& arena = keep != nullptr ? *keep : scratch;
  LoraKept local;
  if (lora.drops()) {
    local.mask = draw_mask(lora, linear, rows, x.columns, arena);
  }
  local.narrow = arena.floats(x.rows, layout.options().r);
  const Rows input = dropped(lora, local.mask, x, scratch);
  const Rows a = turned(1.0, lora.adapter->a(lora.layer, linear), scratch);
  ops::narrow_matmul(queue, input, false, a, false, local.narrow);
  const Rows b = turned(layout.scale(), lora.adapter->b(lora.layer, linear), scratch);
  ops::narrow_matmul(queue, local.narrow, false, b, true, y);
  if (kept != nullptr) {
    *kept = local;
  }
}

void lora_backward(const LayerLora& lora, Linear linear, const Rows& x, const Rows& dy,
                   const LoraKept& kept, const Rows& dx, float* gradient, Arena& scratch) {
  if (!lora.adapts(linear)) {
    return;
  }
  const ArenaScope scope(scratch);
  const Queue& queue = scratch.queue();
  const LoraLayout& layout = lora.adapter->layout;
  const LoraWeights gradients{layout, gradient};
  const Rows d_narrow = scratch.floats(dy.rows, layout.options().r);
  ops::narrow_matmul(queue, dy, false, lora.adapter->b(lora.layer, linear), false, d_narrow);
  ops::scale_values(queue, layout.scale(), d_narrow);
  const Rows d_b = gradients.b(lora.layer, linear);
  ops::narrow_matmul(queue, d_narrow, true, dropped(lora, kept.mask, x, scratch), false,
                     gradients.a(lora.layer, linear));
  ops::narrow_matmul(queue, dy, true, kept.narrow, false, d_b);
  ops::scale_values(queue, layout.scale(), d_b);
  if (!dx.defined()) {
    return;
  }
  const Rows a = lora.adapter->a(lora.layer, linear);
  if (kept.mask == nullptr) {
    ops::narrow_matmul(queue, d_narrow, false, a, true, dx);
    return;
  }
  const Rows d_input = scratch.floats(dx.rows, dx.columns);
  ops::narrow_matmul(queue, d_narrow, false, a, false, d_input);
  ops::dropout_apply(queue, lora.rate(), kept.mask, d_input, true, dx);
}

}  // namespace rallrec::models::llm
