#include "models/llm/decoder_layer.h"
#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

struct BackwardCall {
  const LayerCall& layer;
  const KeptActivations& kept;
  float* gradient;
};

// dx = dy W + LoRA, or dx += with `add`; the LoRA gradients of `linear` from its input x. An
// undefined dx is not wanted.
void linear_backward(const BackwardCall& call, Linear linear, const Rows& x, const Rows& dy,
                     bool add, const Rows& dx) {
  const FrozenLinear& weights = call.layer.weights[linear];
  if (dx.defined()) {
    add ? weights.input_gradient_add(dy, dx) : weights.input_gradient(dy, dx);
  }
  lora_backward(call.layer.lora, linear, x, dy, call.kept.lora[static_cast<std::size_t>(linear)],
                dx, call.gradient, call.layer.scratch);
}

bool adapts_any(const LayerLora& lora, std::initializer_list<Linear> linears) {
  for (Linear linear : linears) {
    if (lora.adapts(linear)) {
      return true;
    }
  }
  return false;
}

// The input of a norm's linears again, where an adapter needs it.
Rows normed_again(const BackwardCall& call, bool wanted, const Rows& x, const float* weight) {
  if (!wanted) {
    return {};
  }
  Rows normed = call.layer.scratch.floats(x.rows, x.columns);
  ops::rms_norm(call.layer.queue(), x, weight, call.layer.config.rms_norm_eps, normed, {});
  return normed;
}

// d_hidden becomes the gradient at `middle`.
void mlp_backward(const BackwardCall& call, bool first, const Rows& d_hidden) {
  const LayerCall& layer = call.layer;
  const KeptActivations& kept = call.kept;
  const ArenaScope scope(layer.scratch);
  const Rows d_gate = layer.scratch.floats(kept.gate.rows, kept.gate.columns);
  const Rows d_up = layer.scratch.floats(kept.up.rows, kept.up.columns);
  if (layer.lora.adapts(Linear::kDown)) {
    ops::swi_glu(layer.queue(), kept.gate, kept.up, d_gate);
  }
  linear_backward(call, Linear::kDown, d_gate, d_hidden, false, d_up);
  ops::swi_glu_backward(layer.queue(), kept.gate, kept.up, d_up, d_gate, d_up);
  const Rows normed = normed_again(call, adapts_any(layer.lora, {Linear::kGate, Linear::kUp}),
                                   kept.middle, layer.weights.mlp_norm);
  const bool stop =
      first && !adapts_any(layer.lora, {Linear::kQ, Linear::kK, Linear::kV, Linear::kO});
  Rows d_normed;
  if (!stop) {
    d_normed = layer.scratch.floats(d_hidden.rows, d_hidden.columns);
  }
  linear_backward(call, Linear::kGate, normed, d_gate, false, d_normed);
  linear_backward(call, Linear::kUp, normed, d_up, true, d_normed);
  if (!stop) {
    ops::rms_norm_backward(layer.queue(), kept.middle, layer.weights.mlp_norm, kept.mlp_inverse_rms,
                           d_normed, d_hidden, d_hidden);
  }
}

// The gradients of q, k and v before their rotation, from that of the attention's output.
void core_backward(const BackwardCall& call, const Rows& d_o, const Rows& dq, const Rows& dk,
                   const Rows& dv) {
  const LayerCall& layer = call.layer;
  const KeptActivations& kept = call.kept;
  ops::attention_backward(layer.queue(), attention_shape(layer.config), layer.queries.sequences,
                          {kept.q, kept.k, kept.v, kept.o, kept.lse}, d_o, dq, dk, dv);
  const auto turn_back = [&layer](const BatchRows& rows, const Rows& x) {
    ops::rope(layer.queue(), x, layer.config.head_dim, rows.positions.data(), layer.rope.cosines(),
              layer.rope.sines(), kernels::RopeDirection::kBackward);
  };
  turn_back(layer.queries, dq);
  turn_back(layer.layout.rows, dk);
}

// The query's part: adds to d_normed [tokens, hidden], where defined, in the queries' rows.
void query_backward(const BackwardCall& call, const Rows& normed, const Rows& dq,
                    const Rows& d_normed) {
  const LayerCall& layer = call.layer;
  if (layer.queries.all || !d_normed.defined()) {
    linear_backward(call, Linear::kQ, rows_of_queries(layer, normed), dq, true, d_normed);
    return;
  }
  const Rows d_rows = layer.scratch.floats(layer.queries.count(), d_normed.columns);
  linear_backward(call, Linear::kQ, rows_of_queries(layer, normed), dq, false, d_rows);
  add_to_rows(layer.queries, d_rows, d_normed);
}

// The gradients of the three linears on `normed`, the norm of the layer's input, and, where
// d_normed is defined, its own.
void inputs_backward(const BackwardCall& call, const Rows& normed, const Rows& d_o,
                     const Rows& d_normed) {
  const KeptActivations& kept = call.kept;
  Arena& scratch = call.layer.scratch;
  const Rows dq = scratch.floats(kept.q.rows, kept.q.columns);
  const Rows dk = scratch.floats(kept.k.rows, kept.k.columns);
  const Rows dv = scratch.floats(kept.v.rows, kept.v.columns);
  core_backward(call, d_o, dq, dk, dv);
  linear_backward(call, Linear::kK, normed, dk, false, d_normed);
  linear_backward(call, Linear::kV, normed, dv, true, d_normed);
  query_backward(call, normed, dq, d_normed);
}

// From d_middle, the gradient at `middle`, that of the layer's input.
Rows attention_block_backward(const BackwardCall& call, bool first, const Rows& d_middle) {
  const LayerCall& layer = call.layer;
  const KeptActivations& kept = call.kept;
  const bool below = adapts_any(layer.lora, {Linear::kQ, Linear::kK, Linear::kV});
  const bool stop = first && !below;
  const ArenaScope scope(layer.scratch);
  Rows d_o;
  if (!stop) {
    d_o = layer.scratch.floats(kept.o.rows, kept.o.columns);
  }
  linear_backward(call, Linear::kO, kept.o, d_middle, false, d_o);
  if (stop) {
    return {};
  }
  const Rows normed = normed_again(call, below, kept.input, layer.weights.attention_norm);
  Rows d_normed;
  if (!first) {
    d_normed = layer.scratch.floats(kept.input.rows, kept.input.columns);
  }
  inputs_backward(call, normed, d_o, d_normed);
  if (first) {
    return {};
  }
  // The input itself is not needed any more.
  ops::rms_norm_backward(layer.queue(), kept.input, layer.weights.attention_norm,
                         kept.attention_inverse_rms, d_normed,
                         layer.queries.all ? d_middle : Rows{}, kept.input);
  if (!layer.queries.all) {
    add_to_rows(layer.queries, d_middle, kept.input);
  }
  return kept.input;
}

}  // namespace

Rows layer_backward(const LayerCall& call, KeptActivations& kept, bool first, const Rows& d_output,
                    float* gradient) {
  const BackwardCall backward{call, kept, gradient};
  mlp_backward(backward, first, d_output);
  return attention_block_backward(backward, first, d_output);
}

}  // namespace rallrec::models::llm
