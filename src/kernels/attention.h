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

// One sequence: `queries` rows of the query matrix from query_begin, and `keys` rows of the key and
// value matrices from key_begin, behind a prefix where there is one.
struct AttentionSequence {
  std::int64_t query_begin = 0;
  std::int64_t queries = 0;
  std::int64_t key_begin = 0;
  std::int64_t keys = 0;
  // [queries], ascending: where each query stands in the sequence, the prefix counted. Null = the
  // last positions, one after the other.
  const std::int64_t* positions = nullptr;

  // How many keys query i sees, those of a prefix included: up to its own position.
  std::int64_t seen(std::int64_t i, std::int64_t prefix) const {
    return positions == nullptr ? prefix + keys - queries + i + 1 : positions[i] + 1;
  }
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
// sequence's result depends on nothing but its own rows and the prefix. Of two queries and more, a
// query's bits do not depend on how many there are, nor on which of its keys are in the prefix.
void attention(const Queue& queue, const AttentionShape& shape,
               const std::vector<AttentionSequence>& sequences, const AttentionPrefix& prefix,
               const float* q, const float* k, const float* v, float* o, float* lse);

struct AttentionGradients {
  float* dq;  // [rows, heads, head_dim]
  float* dk;  // [rows, kv_heads, head_dim]
  float* dv;  // [rows, kv_heads, head_dim]
};

// Gradients of `attention` without a prefix, given its inputs, its o and lse, and d_o. Sequences
// must have no rows in common; only their rows of the gradients are written, all keys' among them,
// also where no query sees the key.
void attention_backward(const Queue& queue, const AttentionShape& shape,
                        const std::vector<AttentionSequence>& sequences, const float* q,
                        const float* k, const float* v, const float* o, const float* lse,
                        const float* d_o, const AttentionGradients& gradients);

}  // namespace rallrec::kernels
