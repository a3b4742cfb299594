#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/array_view.h"
#include "data/interaction_table.h"

namespace rallrec::data {

// Each user's interactions from old to new (Dataset says what that means without timestamps): rows
// [offsets[u], offsets[u + 1]) of `rows` are indices into the interaction table.
struct Timelines {
  std::vector<std::int32_t> offsets = {0};
  std::vector<std::int32_t> rows;

  ArrayView<std::int32_t> of(std::int32_t user) const { return row_view(offsets, rows, user); }
};

// Groups a table that is in order by user; one counting pass.
Timelines make_timelines(const InteractionTable& table, std::int32_t users);

// Of the rows of a table in order that share user and item only the last is kept. Returns the
// kept rows, ascending. `items` is the number of items.
std::vector<std::int32_t> newest_of_pairs(const InteractionTable& table, const Timelines& timelines,
                                          std::int32_t items);

// The samples in the order of the table. Sample s is the interaction row[s]; it stands at
// position[s] of its user's timeline, so the position[s] interactions before it are its history:
// nothing is copied. label[s] = 1 where the rating is above the threshold. Train is [0, train_end),
// valid [train_end, valid_end), test [valid_end, size()).
struct SampleTable {
  std::vector<std::int32_t> row;
  std::vector<std::int32_t> position;
  std::vector<std::uint8_t> label;
  std::int32_t train_end = 0;
  std::int32_t valid_end = 0;

  std::int32_t size() const { return static_cast<std::int32_t>(row.size()); }
};

enum class Split { kTrain, kValid, kTest };

struct SampleRange {
  std::int32_t begin = 0;
  std::int32_t end = 0;
  std::int32_t size() const { return end - begin; }
};

SampleRange range_of(const SampleTable& samples, Split split);

struct SampleRules {
  // A rating strictly above this is label 1.
  double label_threshold = 3.0;
  // Earlier interactions a user must have before one becomes a sample.
  std::int64_t min_history = 5;
  // Only the newest row of a user may be a sample.
  bool last_per_user = false;
  // The first floor(train_share · n) samples train, the next floor(valid_share · n) are valid, the
  // rest is test.
  double train_share = 0.8;
  double valid_share = 0.1;
};

// Samples of a table in order. Throws bad data where the table has no ratings; `source` names the
// file in the message.
SampleTable make_samples(const InteractionTable& table, const Timelines& timelines,
                         const SampleRules& rules, const std::string& source);

}  // namespace rallrec::data
