#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/attention.h"
#include "models/llm/causal_lm.h"

namespace rallrec::models::llm {

// Rows of a packed batch that a layer works on, in order: all its tokens or chosen ones.
struct BatchRows {
  at::Tensor tokens;     // int64 [rows], ascending; undefined = all tokens of the batch
  at::Tensor positions;  // int64 [rows], each row's place in its sequence
  std::vector<std::int64_t> offsets;  // [sequences + 1]: sequence s has rows offsets[s] and on
  // One per sequence: these rows as queries to all of its keys. They look into `positions`.
  std::vector<kernels::AttentionSequence> sequences;

  std::int64_t count() const { return positions.size(0); }
  bool all() const { return !tokens.defined(); }
};

// Where the tokens of a packed batch stand.
struct PackedLayout {
  BatchRows rows;
  std::int64_t longest = 0;
  // Tokens of sequence 0 where all others begin with it, and their positions count it; else 0.
  std::int64_t prefix = 0;
};
PackedLayout make_layout(const PackedBatch& batch);

// The rows of the tokens `chosen` alone: ascending indices into the batch's ids.
BatchRows choose_rows(const PackedLayout& layout, const std::vector<std::int64_t>& chosen);

// y [rows, columns] = those rows of x [tokens, columns].
void copy_rows(const BatchRows& rows, const at::Tensor& x, const at::Tensor& y);
// x += y in those rows.
void add_to_rows(const BatchRows& rows, const at::Tensor& y, const at::Tensor& x);

}  // namespace rallrec::models::llm
