#include "models/llm/decoder_layer.h"

#include <algorithm>

#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

kernels::AttentionShape attention_shape(const LlmConfig& config) {
  return {config.heads, config.kv_heads, config.head_dim};
}

// o = attention of all sequences; behind a prefix, that sequence first and then the others.
void attend(const LayerCall& call, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
            const at::Tensor& o) {
  const kernels::AttentionShape shape = attention_shape(call.config);
  const auto& sequences = call.layout.sequences;
  if (call.layout.prefix == 0) {
    ops::attention(shape, sequences, {}, q, k, v, o, {});
    return;
  }
  ops::attention(shape, {sequences.front()}, {}, q, k, v, o, {});
  ops::attention(shape, {sequences.begin() + 1, sequences.end()},
                 {k.const_data_ptr<float>(), v.const_data_ptr<float>(), call.layout.prefix}, q, k,
                 v, o, {});
}

// The same for single rows: query i is row positions[i] of the batch.
void attend_at(const LayerCall& call, const std::vector<std::int64_t>& positions,
               const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& o) {
  std::vector<kernels::AttentionSequence> in_prefix;
  std::vector<kernels::AttentionSequence> behind;
  for (std::size_t i = 0; i < positions.size(); ++i) {
    for (const kernels::AttentionSequence& sequence : call.layout.sequences) {
      const std::int64_t place = positions[i] - sequence.query_begin;
      if (place >= 0 && place < sequence.queries) {
        auto& list = positions[i] < call.layout.prefix ? in_prefix : behind;
        list.push_back({static_cast<std::int64_t>(i), 1, sequence.key_begin, place + 1});
        break;
      }
    }
  }
  const kernels::AttentionShape shape = attention_shape(call.config);
  const kernels::AttentionPrefix prefix{k.const_data_ptr<float>(), v.const_data_ptr<float>(),
                                        call.layout.prefix};
  ops::attention(shape, in_prefix, {}, q, k, v, o, {});
  ops::attention(shape, behind, prefix, q, k, v, o, {});
}

// x [rows, heads · head_dim] turned to the rows' positions.
void turn(const LayerCall& call, const at::Tensor& x, const at::Tensor& positions) {
  ops::rope(x, call.config.head_dim, positions, call.rope.cosines(), call.rope.sines(),
            kernels::RopeDirection::kForward);
}

// y = x Wᵀ + LoRA, or y += with `add`.
void linear_forward(const LayerCall& call, Linear linear, const at::Tensor& x, const at::Tensor& y,
                    bool add, Arena* keep, KeptActivations* kept) {
  const FrozenLinear& weights = call.weights[linear];
  add ? weights.forward_add(x, y) : weights.forward(x, y);
  LoraKept* lora = kept == nullptr ? nullptr : &kept->lora[static_cast<std::size_t>(linear)];
  lora_forward(call.lora, linear, x, y, call.scratch, keep, lora);
}

void project_inputs(const LayerCall& call, const at::Tensor& hidden, const at::Tensor& inverse_rms,
                    const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, Arena* keep,
                    KeptActivations* kept) {
  const ArenaScope scope(call.scratch);
  const at::Tensor normed = call.scratch.floats(hidden.size(0), hidden.size(1));
  ops::rms_norm(hidden, call.weights.attention_norm, call.config.rms_norm_eps, normed, inverse_rms);
  linear_forward(call, Linear::kQ, normed, q, false, keep, kept);
  linear_forward(call, Linear::kK, normed, k, false, keep, kept);
  linear_forward(call, Linear::kV, normed, v, false, keep, kept);
  turn(call, q, call.layout.positions);
  turn(call, k, call.layout.positions);
}

// hidden += MLP(norm(middle)); gate and up are filled.
void run_mlp(const LayerCall& call, const at::Tensor& middle, const at::Tensor& inverse_rms,
             const at::Tensor& gate, const at::Tensor& up, const at::Tensor& hidden, Arena* keep,
             KeptActivations* kept) {
  const ArenaScope scope(call.scratch);
  const at::Tensor normed = call.scratch.floats(middle.size(0), middle.size(1));
  ops::rms_norm(middle, call.weights.mlp_norm, call.config.rms_norm_eps, normed, inverse_rms);
  linear_forward(call, Linear::kGate, normed, gate, false, keep, kept);
  linear_forward(call, Linear::kUp, normed, up, false, keep, kept);
  const at::Tensor activated =
      kept == nullptr ? gate : call.scratch.floats(gate.size(0), gate.size(1));
  ops::swi_glu(gate, up, activated);
  linear_forward(call, Linear::kDown, activated, hidden, true, keep, kept);
}

void allocate(const LayerCall& call, std::int64_t tokens, Arena& keep, KeptActivations& kept) {
  const LlmConfig& config = call.config;
  kept.attention_inverse_rms = keep.floats(tokens, 1);
  kept.q = keep.floats(tokens, config.heads * config.head_dim);
  kept.k = keep.floats(tokens, config.kv_heads * config.head_dim);
  kept.v = keep.floats(tokens, config.kv_heads * config.head_dim);
  kept.o = keep.floats(tokens, config.heads * config.head_dim);
  kept.lse = keep.floats(tokens, config.heads);
  kept.middle = keep.floats(tokens, config.hidden_size);
  kept.mlp_inverse_rms = keep.floats(tokens, 1);
  kept.gate = keep.floats(tokens, config.intermediate_size);
  kept.up = keep.floats(tokens, config.intermediate_size);
}

}  // namespace

PackedLayout make_layout(const PackedBatch& batch) {
  PackedLayout layout;
  layout.positions = at::empty({batch.tokens()}, at::kLong);
  auto* positions = layout.positions.data_ptr<std::int64_t>();
  layout.prefix = batch.first_is_prefix ? batch.offsets.at(1) : 0;
  for (std::int64_t s = 0; s < batch.sequences(); ++s) {
    const std::int64_t begin = batch.offsets[static_cast<std::size_t>(s)];
    const std::int64_t length = batch.offsets[static_cast<std::size_t>(s) + 1] - begin;
    const std::int64_t first = s == 0 ? 0 : layout.prefix;
    layout.sequences.push_back({begin, length, begin, length});
    layout.longest = std::max(layout.longest, first + length);
    for (std::int64_t i = 0; i < length; ++i) {
      positions[begin + i] = first + i;
    }
  }
  return layout;
}

std::int64_t kept_floats_per_token(const LlmConfig& config) {
  return 2 * config.hidden_size + 2 * (config.heads + config.kv_heads) * config.head_dim +
         config.heads + 2 * config.intermediate_size + 2;
}

void attention_inputs(const LayerCall& call, const at::Tensor& hidden, const at::Tensor& q,
                      const at::Tensor& k, const at::Tensor& v) {
  project_inputs(call, hidden, {}, q, k, v, nullptr, nullptr);
}

void attention_output_and_mlp(const LayerCall& call, const at::Tensor& o,
                              const at::Tensor& hidden) {
  linear_forward(call, Linear::kO, o, hidden, true, nullptr, nullptr);
  const ArenaScope scope(call.scratch);
  const at::Tensor gate = call.scratch.floats(hidden.size(0), call.config.intermediate_size);
  const at::Tensor up = call.scratch.floats(hidden.size(0), call.config.intermediate_size);
  run_mlp(call, hidden, {}, gate, up, hidden, nullptr, nullptr);
}

void layer_forward(const LayerCall& call, const at::Tensor& hidden) {
  const ArenaScope scope(call.scratch);
  const LlmConfig& config = call.config;
  const std::int64_t tokens = hidden.size(0);
  const at::Tensor q = call.scratch.floats(tokens, config.heads * config.head_dim);
  const at::Tensor k = call.scratch.floats(tokens, config.kv_heads * config.head_dim);
  const at::Tensor v = call.scratch.floats(tokens, config.kv_heads * config.head_dim);
  const at::Tensor o = call.scratch.floats(tokens, config.heads * config.head_dim);
  attention_inputs(call, hidden, q, k, v);
  attend(call, q, k, v, o);
  attention_output_and_mlp(call, o, hidden);
}

at::Tensor layer_forward_at(const LayerCall& call, const at::Tensor& hidden,
                            const std::vector<std::int64_t>& positions) {
  const ArenaScope scope(call.scratch);
  const LlmConfig& config = call.config;
  const std::int64_t tokens = hidden.size(0);
  const at::Tensor index = at::tensor(positions, at::kLong);
  const at::Tensor normed = call.scratch.floats(tokens, config.hidden_size);
  ops::rms_norm(hidden, call.weights.attention_norm, config.rms_norm_eps, normed, {});
  const at::Tensor q = call.scratch.floats(index.size(0), config.heads * config.head_dim);
  const at::Tensor k = call.scratch.floats(tokens, config.kv_heads * config.head_dim);
  const at::Tensor v = call.scratch.floats(tokens, config.kv_heads * config.head_dim);
  linear_forward(call, Linear::kQ, normed.index_select(0, index), q, false, nullptr, nullptr);
  linear_forward(call, Linear::kK, normed, k, false, nullptr, nullptr);
  linear_forward(call, Linear::kV, normed, v, false, nullptr, nullptr);
  turn(call, k, call.layout.positions);
  turn(call, q, call.layout.positions.index_select(0, index));
  const at::Tensor o = call.scratch.floats(q.size(0), q.size(1));
  attend_at(call, positions, q, k, v, o);
  at::Tensor rows = hidden.index_select(0, index);
  attention_output_and_mlp(call, o, rows);
  return rows;
}

at::Tensor layer_forward_keep(const LayerCall& call, const at::Tensor& hidden, Arena& keep,
                              KeptActivations& kept) {
  kept.input = hidden;
  allocate(call, hidden.size(0), keep, kept);
  project_inputs(call, hidden, kept.attention_inverse_rms, kept.q, kept.k, kept.v, &keep, &kept);
  ops::attention(attention_shape(call.config), call.layout.sequences, {}, kept.q, kept.k, kept.v,
                 kept.o, kept.lse);
  kept.middle.copy_(hidden);
  linear_forward(call, Linear::kO, kept.o, kept.middle, true, &keep, &kept);
  at::Tensor output = keep.floats(hidden.size(0), hidden.size(1));
  output.copy_(kept.middle);
  run_mlp(call, kept.middle, kept.mlp_inverse_rms, kept.gate, kept.up, output, &keep, &kept);
  return output;
}

}  // namespace rallrec::models::llm
