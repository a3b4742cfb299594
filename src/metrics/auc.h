#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace rallrec::metrics {

// The area under the ROC curve: the share of (positive, negative) pairs in which the positive has
// the higher score, ties counting one half (Mann-Whitney U / (P N)). Sorted once, so that weighted
// versions over the same samples cost one pass each. Pairs are counted in integers: the result is
// exact up to its last rounding for as long as 2 P N < 2^64.
class AucRanking {
 public:
  // labels[i] is 0 or 1; scores are not NaN; as many of one as of the other.
  AucRanking(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels);

  // Empty where a class has no samples.
  std::optional<double> auc() const;

  // The i-th sample by ascending score counts weights[groups[i]] times.
  std::optional<double> weighted_auc(const std::vector<std::uint32_t>& groups,
                                     const std::vector<std::uint32_t>& weights) const;

  // Sample numbers by ascending score.
  const std::vector<std::size_t>& order() const { return order_; }

 private:
  template <typename Weight>
  std::optional<double> count_pairs(const Weight& weight) const;

  std::vector<std::size_t> order_;
  // In this order: the label, and whether the next sample has a higher score.
  std::vector<std::uint8_t> labels_;
  std::vector<std::uint8_t> ends_tie_;
};

}  // namespace rallrec::metrics
