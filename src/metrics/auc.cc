#include "metrics/auc.h"

#include "core/parallel_for.h"
#include "metrics/score_order.h"

namespace rallrec::metrics {

AucRanking::AucRanking(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels)
    : order_(scores.size()), labels_(scores.size()), ends_tie_(scores.size()) {
  constexpr std::int64_t kGrain = 1 << 16;
  KeyedScores keyed = keyed_samples(scores, labels);
  sort_scores(keyed);
  parallel_for(
      static_cast<std::int64_t>(keyed.size()), kGrain, [&](std::int64_t begin, std::int64_t end) {
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          order_[i] = static_cast<std::size_t>(keyed[i].tag / 2);
          labels_[i] = static_cast<std::uint8_t>(keyed[i].tag % 2);
          ends_tie_[i] = i + 1 == keyed.size() || keyed[i].key < keyed[i + 1].key ? 1 : 0;
        }
      });
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
