#include "models/llm/decoder_layer.h"

#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

// o = attention of the queries; behind a prefix, that sequence first and then the others.
void attend(const LayerCall& call, const Rows& q, const Rows& k, const Rows& v, const Rows& o,
            const Rows& lse) {
  const kernels::AttentionShape shape = attention_shape(call.config);
  const auto& sequences = call.queries.sequences;
  if (call.layout.prefix == 0) {
    ops::attention(call.queue(), shape, sequences, {}, q, k, v, o, lse);
    return;
  }
  ops::attention(call.queue(), shape, {sequences.front()}, {}, q, k, v, o, lse);
  ops::attention(call.queue(), shape, {sequences.begin() + 1, sequences.end()},
                 {k.data, v.data, call.layout.prefix}, q, k, v, o, lse);
}

// x [rows, heads · head_dim] turned to the rows' positions.
void turn(const LayerCall& call, const BatchRows& rows, const Rows& x) {
  ops::rope(call.queue(), x, call.config.head_dim, rows.positions.data(), call.rope.cosines(),
            call.rope.sines(), kernels::RopeDirection::kForward);
}

// y = x Wᵀ + LoRA, or y += with `add`. x has `rows`.
void linear_forward(const LayerCall& call, Linear linear, const BatchRows& rows,
                    const LinearInput& x, const Rows& y, bool add, Arena* keep,
                    KeptActivations* kept) {
  const FrozenLinear& weights = call.weights[linear];
  add ? weights.forward_add(x, y) : weights.forward(x, y);
  LoraKept* lora = kept == nullptr ? nullptr : &kept->lora[static_cast<std::size_t>(linear)];
  lora_forward(call.lora, linear, rows, x.x(), y, call.scratch, keep, lora);
}

void project_inputs(const LayerCall& call, const Rows& hidden, const Rows& inverse_rms,
                    const Rows& q, const Rows& k, const Rows& v, Arena* keep,
                    KeptActivations* kept) {
  const ArenaScope scope(call.scratch);
  const BatchRows& all = call.layout.rows;
  const Rows normed = call.scratch.floats(hidden.rows, hidden.columns);
  ops::rms_norm(call.queue(), hidden, call.weights.attention_norm, call.config.rms_norm_eps, normed,
                inverse_rms);
  const LinearInput input(normed);
  if (call.queries.all) {
    linear_forward(call, Linear::kQ, all, input, q, false, keep, kept);
  } else {
    const Rows asked = rows_of_queries(call, normed);
    linear_forward(call, Linear::kQ, call.queries, asked, q, false, keep, kept);
  }
  linear_forward(call, Linear::kK, all, input, k, false, keep, kept);
  linear_forward(call, Linear::kV, all, input, v, false, keep, kept);
  turn(call, call.queries, q);
  turn(call, all, k);
}

// hidden += MLP(norm(middle)); gate and up are filled.
void run_mlp(const LayerCall& call, const Rows& middle, const Rows& inverse_rms, const Rows& gate,
             const Rows& up, const Rows& hidden, Arena* keep, KeptActivations* kept) {
  const ArenaScope scope(call.scratch);
  const BatchRows& rows = call.queries;
  const Rows normed = call.scratch.floats(middle.rows, middle.columns);
  ops::rms_norm(call.queue(), middle, call.weights.mlp_norm, call.config.rms_norm_eps, normed,
                inverse_rms);
  const LinearInput input(normed);
  linear_forward(call, Linear::kGate, rows, input, gate, false, keep, kept);
  linear_forward(call, Linear::kUp, rows, input, up, false, keep, kept);
  const Rows activated = kept == nullptr ? gate : call.scratch.floats(gate.rows, gate.columns);
  ops::swi_glu(call.queue(), gate, up, activated);
  linear_forward(call, Linear::kDown, rows, activated, hidden, true, keep, kept);
}

void allocate(const LayerCall& call, Arena& keep, KeptActivations& kept) {
  const LlmConfig& config = call.config;
  const std::int64_t tokens = call.layout.rows.count();
  const std::int64_t queries = call.queries.count();
  kept.attention_inverse_rms = keep.floats(tokens, 1);
  kept.k = keep.floats(tokens, config.kv_heads * config.head_dim);
  kept.v = keep.floats(tokens, config.kv_heads * config.head_dim);
  kept.q = keep.floats(queries, config.heads * config.head_dim);
  kept.o = keep.floats(queries, config.heads * config.head_dim);
  kept.lse = keep.floats(queries, config.heads);
  kept.middle = keep.floats(queries, config.hidden_size);
  kept.mlp_inverse_rms = keep.floats(queries, 1);
  kept.gate = keep.floats(queries, config.intermediate_size);
  kept.up = keep.floats(queries, config.intermediate_size);
}

}  // namespace

Rows rows_of_queries(const LayerCall& call, const Rows& x) {
  if (call.queries.all || !x.defined()) {
    return x;
  }
  Rows rows = call.scratch.floats(call.queries.count(), x.columns);
  copy_rows(call.queries, x, rows);
  return rows;
}

void attention_inputs(const LayerCall& call, const Rows& hidden, const Rows& q, const Rows& k,
                      const Rows& v) {
  project_inputs(call, hidden, {}, q, k, v, nullptr, nullptr);
}

void attention_output_and_mlp(const LayerCall& call, const Rows& o, const Rows& hidden) {
  linear_forward(call, Linear::kO, call.queries, o, hidden, true, nullptr, nullptr);
  const ArenaScope scope(call.scratch);
  const Rows gate = call.scratch.floats(hidden.rows, call.config.intermediate_size);
  const Rows up = call.scratch.floats(hidden.rows, call.config.intermediate_size);
  run_mlp(call, hidden, {}, gate, up, hidden, nullptr, nullptr);
}

void layer_forward(const LayerCall& call, const Rows& hidden, const Rows& output) {
  const ArenaScope scope(call.scratch);
  const LlmConfig& config = call.config;
  const std::int64_t tokens = hidden.rows;
  const Rows q = call.scratch.floats(output.rows, config.heads * config.head_dim);
  const Rows k = call.scratch.floats(tokens, config.kv_heads * config.head_dim);
  const Rows v = call.scratch.floats(tokens, config.kv_heads * config.head_dim);
  const Rows o = call.scratch.floats(output.rows, config.heads * config.head_dim);
  attention_inputs(call, hidden, q, k, v);
  attend(call, q, k, v, o, {});
  if (!output.is(hidden)) {
    copy_rows(call.queries, hidden, output);
  }
  attention_output_and_mlp(call, o, output);
}

Rows layer_forward_keep(const LayerCall& call, const Rows& hidden, Arena& keep,
                        KeptActivations& kept) {
  kept.input = hidden;
  allocate(call, keep, kept);
  project_inputs(call, hidden, kept.attention_inverse_rms, kept.q, kept.k, kept.v, &keep, &kept);
  attend(call, kept.q, kept.k, kept.v, kept.o, kept.lse);
  copy_rows(call.queries, hidden, kept.middle);
  linear_forward(call, Linear::kO, call.queries, kept.o, kept.middle, true, &keep, &kept);
  Rows output = keep.floats(call.queries.count(), hidden.columns);
  ops::copy_rows(call.queue(), kept.middle, output);
  run_mlp(call, kept.middle, kept.mlp_inverse_rms, kept.gate, kept.up, output, &keep, &kept);
  return output;
}

}  // namespace rallrec::models::llm
