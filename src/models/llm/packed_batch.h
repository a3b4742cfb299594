#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::models::llm {

// Sequences back to back without padding: sequence s is ids[offsets[s], offsets[s + 1]).
struct PackedBatch {
  std::vector<std::int64_t> ids;
  std::vector<std::int64_t> offsets;  // [sequences + 1], offsets[0] = 0
  // Sequence 0 is what every other sequence begins with: it is computed once, the others attend to
  // it and their positions go on after it. For passes without gradients.
  bool first_is_prefix = false;
  std::int64_t tokens() const { return static_cast<std::int64_t>(ids.size()); }
  std::int64_t sequences() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
};

// A packed batch with what the loss needs. The logits at token label_positions[i] (an index into
// ids, ascending) are to predict label_ids[i].
struct MicroBatch {
  PackedBatch batch;
  // [sequences]; with (seed, epoch) the Philox key of this sequence's dropout masks, so a mask does
  // not depend on packing or rank.
  std::vector<std::int64_t> samples;
  std::vector<std::int64_t> label_positions;
  std::vector<std::int64_t> label_ids;
};

struct DropoutKey {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
};

}  // namespace rallrec::models::llm
