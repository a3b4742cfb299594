#pragma once

#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "core/rows.h"
#include "kernels/attention.h"
#include "models/llm/packed_batch.h"

namespace rallrec::models::llm {

// Rows of a packed batch that a layer works on, in order: all its tokens or chosen ones. Movable,
// not copyable: `sequences` looks into `positions`.
struct BatchRows {
  explicit BatchRows(const Queue& queue = {})
      : queue(queue), tokens(queue, "the batch"), positions(queue, "the batch") {}

  Queue queue;
  bool all = true;                      // every token of the batch
  DeviceArray<std::int64_t> tokens;     // [rows], ascending; empty where all are meant
  DeviceArray<std::int64_t> positions;  // [rows], each row's place in its sequence
  std::vector<std::int64_t> offsets;    // [sequences + 1]: sequence s has rows offsets[s] and on
  // One per sequence: these rows as queries to all of its keys.
  std::vector<kernels::AttentionSequence> sequences;

  std::int64_t count() const { return static_cast<std::int64_t>(positions.size()); }
};

// Where the tokens of a packed batch stand.
struct PackedLayout {
  explicit PackedLayout(const Queue& queue = {}) : rows(queue) {}

  BatchRows rows;
  std::vector<std::int64_t> positions;  // rows.positions in host memory
  std::int64_t longest = 0;
  // Tokens of sequence 0 where all others begin with it, and their positions count it; else 0.
  std::int64_t prefix = 0;
};
PackedLayout make_layout(const PackedBatch& batch, const Queue& queue = {});

// The rows of the tokens `chosen` alone: ascending indices into the batch's ids.
BatchRows choose_rows(const PackedLayout& layout, const std::vector<std::int64_t>& chosen);

// y [rows, columns] = those rows of x [tokens, columns].
void copy_rows(const BatchRows& rows, const Rows& x, const Rows& y);
// x += y in those rows.
void add_to_rows(const BatchRows& rows, const Rows& y, const Rows& x);

}  // namespace rallrec::models::llm
