#pragma once

#include <ATen/core/Tensor.h>

#include <array>

#include "models/llm/arena.h"
#include "models/llm/batch_rows.h"
#include "models/llm/lora_branch.h"
#include "models/llm/rope_table.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// What a layer works with. All references outlive the call. Keys and values are computed of all
// rows of `layout`, everything else of the rows `queries`, which are layout.rows or chosen of them.
struct LayerCall {
  const LlmConfig& config;
  const LayerWeights& weights;
  const RopeTable& rope;
  const PackedLayout& layout;
  const BatchRows& queries;
  const LayerLora& lora;
  Arena& scratch;
};

// What the backward pass of a layer needs besides its weights: nothing that one elementwise pass
// restores.
struct KeptActivations {
  at::Tensor input;                  // [tokens, hidden]
  at::Tensor attention_inverse_rms;  // [tokens, 1]
  at::Tensor k, v;                   // [tokens, kv_heads · head_dim]; k after the rotation
  at::Tensor q, o;                   // [queries, heads · head_dim]; q after the rotation
  at::Tensor lse;                    // [queries, heads]
  at::Tensor middle;                 // [queries, hidden], after attention's residual sum
  at::Tensor mlp_inverse_rms;        // [queries, 1]
  at::Tensor gate, up;               // [queries, intermediate]
  std::array<LoraKept, kLinearCount> lora;
};

inline kernels::AttentionShape attention_shape(const LlmConfig& config) {
  return {config.heads, config.kv_heads, config.head_dim};
}
// The queries' rows of x [tokens, columns], in the call's scratch; x itself where they are all, or
// where it is undefined.
at::Tensor rows_of_queries(const LayerCall& call, const at::Tensor& x);

// The layer's parts, for callers that bring their own attention (a KV cache).
// q, k, v from the hidden state: norm, three linears with LoRA, rotation of q and k.
void attention_inputs(const LayerCall& call, const at::Tensor& hidden, const at::Tensor& q,
                      const at::Tensor& k, const at::Tensor& v);
// hidden += W_o o, then hidden += MLP(norm(hidden)); rows are the queries.
void attention_output_and_mlp(const LayerCall& call, const at::Tensor& o, const at::Tensor& hidden);

// output [queries, hidden] = the layer applied to hidden [tokens, hidden]. Where all rows are asked
// for, output may be hidden. Nothing is kept.
void layer_forward(const LayerCall& call, const at::Tensor& hidden, const at::Tensor& output);
// The same; `hidden` stays as it is and is kept, the output is a new tensor of `keep`.
at::Tensor layer_forward_keep(const LayerCall& call, const at::Tensor& hidden, Arena& keep,
                              KeptActivations& kept);

// From d_output [queries, hidden], the gradient of the layer's output, that of its input [tokens,
// hidden], and the gradients of the layer's LoRA parameters, which are written into `gradient`.
// d_output and `kept` are used up; the result lies in the memory of kept.input. With `first`,
// nothing below the layer's own LoRA branches is computed, and the result is undefined.
at::Tensor layer_backward(const LayerCall& call, KeptActivations& kept, bool first,
                          const at::Tensor& d_output, const at::Tensor& gradient);

}  // namespace rallrec::models::llm
