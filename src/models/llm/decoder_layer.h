#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <vector>

#include "kernels/attention.h"
#include "models/llm/arena.h"
#include "models/llm/lora_branch.h"
#include "models/llm/rope_table.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// Where the tokens of a packed batch stand: the attention's cut and each token's position.
struct PackedLayout {
  std::vector<kernels::AttentionSequence> sequences;
  at::Tensor positions;  // int64 [tokens]
  std::int64_t longest = 0;
  // Rows of sequence 0 where all others begin with it; else 0.
  std::int64_t prefix = 0;
};
PackedLayout make_layout(const PackedBatch& batch);

// What a layer works with. All references outlive the call.
struct LayerCall {
  const LlmConfig& config;
  const LayerWeights& weights;
  const RopeTable& rope;
  const PackedLayout& layout;
  const LayerLora& lora;
  Arena& scratch;
};

// What the backward pass of a layer needs besides its weights. 10 · hidden floats per token on a
// SmolLM2: nothing that one elementwise pass restores is kept.
struct KeptActivations {
  at::Tensor input;                  // [tokens, hidden]
  at::Tensor attention_inverse_rms;  // [tokens, 1]
  at::Tensor q, k, v, o, lse;        // q, k after the rotation
  at::Tensor middle;                 // [tokens, hidden], after attention's residual sum
  at::Tensor mlp_inverse_rms;
  at::Tensor gate, up;  // [tokens, intermediate]
  std::array<LoraKept, kLinearCount> lora;
};

// floats that layer_forward keeps per token, without the adapter's.
std::int64_t kept_floats_per_token(const LlmConfig& config);

// The layer's parts, for callers that bring their own attention (a KV cache).
// q, k, v from the hidden state: norm, three linears with LoRA, rotation of q and k.
void attention_inputs(const LayerCall& call, const at::Tensor& hidden, const at::Tensor& q,
                      const at::Tensor& k, const at::Tensor& v);
// hidden += W_o o, then hidden += MLP(norm(hidden)).
void attention_output_and_mlp(const LayerCall& call, const at::Tensor& o, const at::Tensor& hidden);

// hidden [tokens, hidden] becomes the layer's output, in place. Nothing is kept.
void layer_forward(const LayerCall& call, const at::Tensor& hidden);
// Rows `positions` of the output alone, [positions, hidden]: keys and values of all rows,
// everything else of these. `hidden` stays as it is. Without dropout.
at::Tensor layer_forward_at(const LayerCall& call, const at::Tensor& hidden,
                            const std::vector<std::int64_t>& positions);
// The same as layer_forward; `hidden` stays as it is and is kept, the output is a new tensor of
// `keep`.
at::Tensor layer_forward_keep(const LayerCall& call, const at::Tensor& hidden, Arena& keep,
                              KeptActivations& kept);

// d_hidden, the gradient of the layer's output, becomes that of its input; the gradients of the
// layer's LoRA parameters are written into `gradient`. With `first`, nothing below the layer's own
// LoRA branches is computed and d_hidden is left undefined in content.
void layer_backward(const LayerCall& call, const KeptActivations& kept, bool first,
                    const at::Tensor& d_hidden, const at::Tensor& gradient);

}  // namespace rallrec::models::llm
