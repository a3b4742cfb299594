#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::metrics {

// A score as an integer that orders like it, and what belongs to it.
struct KeyedScore {
  std::uint64_t key;
  std::uint64_t tag;
};

// Keys compare as the scores do: -0 and 0 have one key. The score is not NaN.
std::uint64_t key_of_score(double score);

// Sorts by (key, tag), on all threads: a sample sort, whose parts fit the cache. 16 bytes per score
// are added while it works. The result does not depend on the threads.
void sort_scores(std::vector<KeyedScore>& scores);

}  // namespace rallrec::metrics
