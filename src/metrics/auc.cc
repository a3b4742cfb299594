#include "metrics/auc.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"

namespace rallrec::metrics {

AucRanking::AucRanking(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels)
    : order_(scores.size()) {
  RALLREC_CHECK(scores.size() == labels.size(), "auc: as many labels as scores are needed");
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::sort(order_.begin(), order_.end(),
            [&scores](std::size_t a, std::size_t b) { return scores[a] < scores[b]; });
  for (std::size_t i = 0; i < order_.size(); ++i) {
    labels_.push_back(labels[order_[i]]);
    ends_tie_.push_back(i + 1 == order_.size() || scores[order_[i]] < scores[order_[i + 1]] ? 1
                                                                                            : 0);
  }
}

template <typename Weight>
std::optional<double> AucRanking::count_pairs(const Weight& weight) const {
  std::uint64_t positives = 0;
  std::uint64_t negatives = 0;
  std::uint64_t tied_positives = 0;
  std::uint64_t tied_negatives = 0;
  std::uint64_t half_pairs = 0;
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    const std::uint64_t w = weight(i);
    tied_positives += labels_[i] != 0 ? w : 0;
    tied_negatives += labels_[i] != 0 ? 0 : w;
    if (ends_tie_[i] != 0) {
      half_pairs += tied_positives * (2 * negatives + tied_negatives);
      positives += tied_positives;
      negatives += tied_negatives;
      tied_positives = tied_negatives = 0;
    }
  }
  if (positives == 0 || negatives == 0) {
    return std::nullopt;
  }
  return static_cast<double>(half_pairs) /
         (2.0 * static_cast<double>(positives) * static_cast<double>(negatives));
}

std::optional<double> AucRanking::auc() const {
  return count_pairs([](std::size_t) { return std::uint64_t{1}; });
}

std::optional<double> AucRanking::weighted_auc(const std::vector<std::uint32_t>& groups,
                                               const std::vector<std::uint32_t>& weights) const {
  return count_pairs([&](std::size_t i) { return std::uint64_t{weights[groups[i]]}; });
}

}  // namespace rallrec::metrics
