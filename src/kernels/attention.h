#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "kernels/work.h"

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
  // last positions, one after the other. In the queue's memory, which for a GPU means that nobody
  // checks them: there a position before the first key or behind the last counts as that key's
  // (where there is no key at all, o is 0 and lse -infinity), and positions that do not ascend
  // leave the sequence's results unspecified.
  const std::int64_t* positions = nullptr;

  // How many keys query i sees, those of a prefix included: up to its own position. For positions
  // that the host can read.
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
// query's bits do not depend on how many there are, nor on which of its keys are in the prefix; on
// a GPU that holds of a single query too.
//
// On a CUDA queue all pointers, those of the sequences among them, are device memory, head_dim is
// at most 256, and the call only enqueues: `sequences` stays the host's and may change when it
// returns. Throws Error on a count or a shape that does not fit, or positions that do not where the
// host can read them.
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
// also where no query sees the key. Memory, errors and bits are as in `attention`: a row's gradient
// depends on nothing but the sequence.
void attention_backward(const Queue& queue, const AttentionShape& shape,
                        const std::vector<AttentionSequence>& sequences, const float* q,
                        const float* k, const float* v, const float* o, const float* lse,
                        const float* d_o, const AttentionGradients& gradients);

// `queries` and `keys` are rows over all sequences, `pairs` the keys that all queries see together.
inline Work attention_work(const AttentionShape& s, std::int64_t queries, std::int64_t keys,
                           std::int64_t pairs) {
  const std::int64_t row_values = queries * s.heads * s.head_dim;
  const std::int64_t key_values = keys * s.kv_heads * s.head_dim;
  return {4 * (2 * row_values + 2 * key_values + queries * s.heads),
          4 * s.heads * s.head_dim * pairs};
}

// q, o, d_o, k, v and lse are read, dq, dk and dv are written.
inline Work attention_backward_work(const AttentionShape& s, std::int64_t queries,
                                    std::int64_t keys, std::int64_t pairs) {
  const std::int64_t row_values = queries * s.heads * s.head_dim;
  const std::int64_t key_values = keys * s.kv_heads * s.head_dim;
  return {4 * (4 * row_values + 4 * key_values + queries * s.heads),
          10 * s.heads * s.head_dim * pairs};
}

}  // namespace rallrec::kernels
