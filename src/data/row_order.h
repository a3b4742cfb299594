#pragma once

#include <cstdint>
#include <vector>

#include "data/samples.h"

namespace rallrec::data {

// Orders of a table's rows for sources without timestamps; both give rows as time_order does. They
// repeat the public RALLRec code on Book-Crossing, which shuffles with Python's generator.

// One user after the other, by first row; each user's rows as random.shuffle leaves them after
// random.seed(seed), set again for every user. `table` is in the order of the file.
std::vector<std::int32_t> shuffled_order(const InteractionTable& table, std::int32_t users,
                                         std::int64_t seed);

// First all rows that are nobody's target, in their present order; then the targets as
// random.shuffle leaves them after random.seed(seed). A user's target is the last of at least
// `min_history` + 1 rows, so no user's own order changes: this orders the samples of
// last_per_user, and what precedes a target in the table is no target of a later split.
std::vector<std::int32_t> shuffled_targets_last(const InteractionTable& table,
                                                const Timelines& timelines,
                                                std::int64_t min_history, std::int64_t seed);

}  // namespace rallrec::data
