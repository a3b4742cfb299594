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
  at::mm_out(local.narrow, input, adapter.layout().a(adapter.flat(), lora.layer, linear).t());
  at::Tensor target = y;
  target.addmm_(local.narrow, adapter.layout().b(adapter.flat(), lora.layer, linear).t(), 1.0,
                adapter.scale());
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
  at::mm_out(d_narrow, dy, layout.b(adapter.flat(), lora.layer, linear));
  d_narrow.mul_(adapter.scale());
  at::Tensor d_a = layout.a(gradient, lora.layer, linear);
  at::Tensor d_b = layout.b(gradient, lora.layer, linear);
  at::mm_out(d_a, d_narrow.t(), dropped(lora, kept.mask, x, scratch));
  at::mm_out(d_b, dy.t(), kept.narrow);
  d_b.mul_(adapter.scale());
  if (!dx.defined()) {
    return;
  }
  at::Tensor target = dx;
  const at::Tensor a = layout.a(adapter.flat(), lora.layer, linear);
  if (!kept.mask.defined()) {
    target.addmm_(d_narrow, a);
    return;
  }
  at::Tensor d_input = scratch.floats(dx.size(0), dx.size(1));
  at::mm_out(d_input, d_narrow, a);
  ops::dropout_apply(adapter.options().dropout, kept.mask, d_input, true, dx);
}

}  // namespace rallrec::models::llm
