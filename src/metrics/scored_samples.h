#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.h"

namespace rallrec::metrics {

// Labels and predictions, one entry per sample in each vector.
struct ScoredSamples {
  static constexpr std::uint32_t kNoUser = 0xFFFFFFFF;

  std::vector<std::uint8_t> labels;  // 0 or 1
  std::vector<double> scores;        // P(yes) in [0, 1]
  // The authors' double softmax; empty unless every sample has one.
  std::vector<double> squashed;
  // Position in `user_names`, or kNoUser.
  std::vector<std::uint32_t> users;
  std::vector<std::string> user_names;
  // Which row of the data set each is: a hash of user, item, timestamp and label. Empty unless
  // every sample has all four.
  std::vector<std::uint64_t> rows;

  std::size_t size() const { return labels.size(); }
  // The first `count` samples, or all where there are fewer.
  ScoredSamples first(std::size_t count) const;
};

// The samples of all ranks in rank order, on every rank; the result does not depend on how they
// were split. `squashed` and `rows` are kept where every rank with samples has them. Collective.
ScoredSamples gather_samples(distributed::Communicator& communicator, const ScoredSamples& mine);

// Whether both are predictions for the same samples in the same order, as far as their labels and
// users tell.
bool same_samples(const ScoredSamples& a, const ScoredSamples& b);

// A group number per sample for resampling: samples of one user share a group, a sample without a
// user is its own. Groups are numbered by first appearance. Sets `group_count`.
std::vector<std::uint32_t> user_groups(const ScoredSamples& samples, std::uint32_t* group_count);

}  // namespace rallrec::metrics
