#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"

namespace rallrec::kernels {

// heads must be a multiple of kv_heads: query head h reads key/value head h / (heads / kv_heads).
struct AttentionShape {
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
};

// One sequence: `queries` rows of the query matrix from query_begin, and `keys` >= queries rows of
// the key and value matrices from key_begin. The queries are the last positions of the sequence, so
// query i sees its keys [0, keys - queries + i].
struct AttentionSequence {
  std::int64_t query_begin = 0;
  std::int64_t queries = 0;
  std::int64_t key_begin = 0;
  std::int64_t keys = 0;
};

// Keys and values [rows, kv_heads, head_dim] that every query of every sequence sees besides its
// own.
struct AttentionPrefix {
  const float* k = nullptr;
  const float* v = nullptr;
  std::int64_t rows = 0;
};

// Causal softmax attention with grouped key/value heads over packed sequences:
// o_i = Σ_j softmax_j(q_i·k_j / sqrt(head_dim)) v_j, j over the prefix and the keys that query i
// sees.
//
// q, o are fp32 [rows, heads, head_dim]; k, v fp32 [rows, kv_heads, head_dim]; contiguous. `lse`,
// where not null, receives the natural log-sum-exp of the scaled scores, [query rows, heads]. A
// sequence's result depends on nothing but its own rows and the prefix.
void attention(const Queue& queue, const AttentionShape& shape,
               const std::vector<AttentionSequence>& sequences, const AttentionPrefix& prefix,
               const float* q, const float* k, const float* v, float* o, float* lse);

struct AttentionGradients {
  float* dq;  // [rows, heads, head_dim]
  float* dk;  // [rows, kv_heads, head_dim]
  float* dv;  // [rows, kv_heads, head_dim]
};

// Gradients of `attention` without a prefix, given its inputs, its o and lse, and d_o. Sequences
// must have queries == keys and no rows in common; only their rows of the gradients are written.
void attention_backward(const Queue& queue, const AttentionShape& shape,
                        const std::vector<AttentionSequence>& sequences, const float* q,
                        const float* k, const float* v, const float* o, const float* lse,
                        const float* d_o, const AttentionGradients& gradients);

}  // namespace rallrec::kernels
