#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace rallrec::metrics {

// A score as an integer that orders like it, and what belongs to it.
struct KeyedScore {
  std::uint64_t key;
  std::uint64_t tag;
};

// Keys compare as the scores do: -0 and 0 have one key. The score is not NaN.
std::uint64_t key_of_score(double score);

// Some keyed scores, whose memory is touched first by who fills it.
class KeyedScores {
 public:
  explicit KeyedScores(std::size_t size) : scores_(new KeyedScore[size]), size_(size) {}

  std::size_t size() const { return size_; }
  KeyedScore* data() { return scores_.get(); }
  KeyedScore& operator[](std::size_t i) { return scores_[i]; }
  const KeyedScore& operator[](std::size_t i) const { return scores_[i]; }
  const KeyedScore* begin() const { return scores_.get(); }
  const KeyedScore* end() const { return scores_.get() + size_; }

 private:
  std::unique_ptr<KeyedScore[]> scores_;
  std::size_t size_;
};

// The tag of sample i is 2 i + its label. labels[i] is 0 or 1; scores are not NaN; as many of one
// as of the other.
KeyedScores keyed_samples(const std::vector<double>& scores,
                          const std::vector<std::uint8_t>& labels);

// Sorts by (key, tag), on all threads: a sample sort, whose parts fit the cache and are sorted by
// the leading bits of what their keys differ in. 18 bytes per score are added while it works. The
// result does not depend on the threads.
void sort_scores(KeyedScores& scores);

}  // namespace rallrec::metrics
