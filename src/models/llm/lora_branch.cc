#include "models/llm/lora_branch.h"

#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

at::Tensor draw_mask(const LayerLora& lora, Linear linear, const BatchRows& rows,
                     std::int64_t channels, Arena& arena) {
  const at::Tensor mask = arena.bytes(rows.count(), kernels::dropout_mask_bytes(channels));
  const kernels::DropoutStream stream{lora.key.seed, lora.key.epoch, lora.layer,
                                      static_cast<std::int64_t>(linear)};
  ops::dropout_mask(stream, lora.adapter->options().dropout, *lora.samples, rows.offsets,
                    rows.positions, channels, mask);
  return mask;
}

// dropout(x), or x itself where nothing is dropped.
at::Tensor dropped(const LayerLora& lora, const at::Tensor& mask, const at::Tensor& x,
                   Arena& scratch) {
  if (!mask.defined()) {
    return x;
  }
  at::Tensor y = scratch.floats(x.size(0), x.size(1));
  ops::dropout_apply(lora.adapter->options().dropout, mask, x, false, y);
  return y;
}

// The transpose of an adapter's matrix, row-major: a few rows of the layer's width.
at::Tensor turned(const at::Tensor& matrix, Arena& scratch) {
  at::Tensor result = scratch.floats(matrix.size(1), matrix.size(0));
  result.copy_(matrix.t());
  return result;
}

}  // namespace

void lora_forward(const LayerLora& lora, Linear linear, const BatchRows& rows, const at::Tensor& x,
                  const at::Tensor& y, Arena& scratch, Arena* keep, LoraKept* kept) {
  if (!lora.adapts(linear)) {
    return;
  }
  const ArenaScope scope(scratch);
  const LoraAdapter& adapter = *lora.adapter;
  Arena& arena = keep != nullptr ? *keep : scratch;
  LoraKept local;
  if (lora.drops()) {
    local.mask = draw_mask(lora, linear, rows, x.size(1), arena);
  }
  local.narrow = arena.floats(x.size(0), adapter.options().r);
  const at::Tensor input = dropped(lora, local.mask, x, scratch);
  const at::Tensor a = adapter.layout().a(adapter.flat(), lora.layer, linear);
  ops::narrow_matmul(input, turned(a, scratch), false, local.narrow);
  at::Tensor b = turned(adapter.layout().b(adapter.flat(), lora.layer, linear), scratch);
  b.mul_(adapter.scale());
  ops::narrow_matmul(local.narrow, b, true, y);
  if (kept != nullptr) {
    *kept = local;
  }
}

void lora_backward(const LayerLora& lora, Linear linear, const at::Tensor& x, const at::Tensor& dy,
                   const LoraKept& kept, const at::Tensor& dx, const at::Tensor& gradient,
                   Arena& scratch) {
  if (!lora.adapts(linear)) {
    return;
  }
  const ArenaScope scope(scratch);
  const LoraAdapter& adapter = *lora.adapter;
  const LoraLayout& layout = adapter.layout();
  at::Tensor d_narrow = scratch.floats(dy.size(0), adapter.options().r);
  ops::narrow_matmul(dy, layout.b(adapter.flat(), lora.layer, linear), false, d_narrow);
  d_narrow.mul_(adapter.scale());
  at::Tensor d_a = layout.a(gradient, lora.layer, linear);
  at::Tensor d_b = layout.b(gradient, lora.layer, linear);
  ops::narrow_matmul(d_narrow.t(), dropped(lora, kept.mask, x, scratch), false, d_a);
  ops::narrow_matmul(dy.t(), kept.narrow, false, d_b);
  d_b.mul_(adapter.scale());
  if (!dx.defined()) {
    return;
  }
  const at::Tensor a = layout.a(adapter.flat(), lora.layer, linear);
  if (!kept.mask.defined()) {
    ops::narrow_matmul(d_narrow, a, true, dx);
    return;
  }
  at::Tensor d_input = scratch.floats(dx.size(0), dx.size(1));
  ops::narrow_matmul(d_narrow, a, false, d_input);
  ops::dropout_apply(adapter.options().dropout, kept.mask, d_input, true, dx);
}

}  // namespace rallrec::models::llm
