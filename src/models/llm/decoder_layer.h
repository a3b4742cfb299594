#pragma once

#include <array>

#include "models/llm/arena.h"
#include "models/llm/batch_rows.h"
#include "models/llm/lora_branch.h"
#include "models/llm/rope_table.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// What a layer works with. All references outlive the call, and all memory is that of the scratch
// arena's queue. Keys and values are computed of all rows of `layout`, everything else of the rows
// `queries`, which are layout.rows or chosen of them. On a CUDA queue a call only enqueues.
struct LayerCall {
  const LlmConfig& config;
  const LayerWeights& weights;
  const RopeTable& rope;
  const PackedLayout& layout;
  const BatchRows& queries;
  const LayerLora& lora;
  Arena& scratch;

  const Queue& queue() const { return scratch.queue(); }
};

// What the backward pass of a layer needs besides its weights: nothing that one elementwise pass
// restores.
struct KeptActivations {
  Rows input;                  // [tokens, hidden]
  Rows attention_inverse_rms;  // [tokens, 1]
  Rows k, v;                   // [tokens, kv_heads · head_dim]; k after the rotation
  Rows q, o;                   // [queries, heads · head_dim]; q after the rotation
  Rows lse;                    // [queries, heads]
  Rows middle;                 // [queries, hidden], after attention's residual sum
  Rows mlp_inverse_rms;        // [queries, 1]
  Rows gate, up;               // [queries, intermediate]
  std::array<LoraKept, kLinearCount> lora;
};

inline kernels::AttentionShape attention_shape(const LlmConfig& config) {
  return {config.heads, config.kv_heads, config.head_dim};
}
// The queries' rows of x [tokens, columns], in the call's scratch; x itself where they are all, or
// where it is none.
Rows rows_of_queries(const LayerCall& call, const Rows& x);

// The layer's parts, for callers that bring their own attention (a KV cache).
// q, k, v from the hidden state: norm, three linears with LoRA, rotation of q and k.
void attention_inputs(const LayerCall& call, const Rows& hidden, const Rows& q, const Rows& k,
                      const Rows& v);
// hidden += W_o o, then hidden += MLP(norm(hidden)); rows are the queries.
void attention_output_and_mlp(const LayerCall& call, const Rows& o, const Rows& hidden);

// output [queries, hidden] = the layer applied to hidden [tokens, hidden]. Where all rows are asked
// for, output may be hidden. Nothing is kept.
void layer_forward(const LayerCall& call, const Rows& hidden, const Rows& output);
// The same; `hidden` stays as it is and is kept, the output is new in `keep`.
Rows layer_forward_keep(const LayerCall& call, const Rows& hidden, Arena& keep,
                        KeptActivations& kept);

// From d_output [queries, hidden], the gradient of the layer's output, that of its input [tokens,
// hidden], and the gradients of the layer's LoRA parameters, which are written into `gradient`.
// d_output and `kept` are used up; the result lies in the memory of kept.input. With `first`,
// nothing below the layer's own LoRA branches is computed, and the result is none.
Rows layer_backward(const LayerCall& call, KeptActivations& kept, bool first, const Rows& d_output,
                    float* gradient);

}  // namespace rallrec::models::llm
