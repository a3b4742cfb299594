#pragma once

#include <cstdint>
#include <vector>

#include "metrics/scored_samples.h"

namespace rallrec::metrics {

// The rows that all sets hold, in the order of the first: what systems that scored different
// samples can be compared on. A row that a set holds several times counts as often as in the set
// with the fewest. Empty where a set has no `rows`, or there are no sets.
std::vector<std::uint64_t> common_rows(const std::vector<const ScoredSamples*>& sets);

// The samples of these rows, in their order; `samples` has them all. Users are numbered by first
// appearance: two sets restricted to the same rows are the same samples (same_samples).
ScoredSamples restricted_to(const ScoredSamples& samples, const std::vector<std::uint64_t>& rows);

}  // namespace rallrec::metrics
