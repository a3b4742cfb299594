#include "data/history.h"

#include <algorithm>

namespace rallrec::data {

History history_of(const Dataset& dataset, std::int32_t sample) {
  const ArrayView<std::int32_t> timeline = dataset.timelines.of(dataset.sample_user(sample));
  const auto length = static_cast<std::size_t>(dataset.samples.position[sample]);
  return {dataset.interactions, {timeline.begin(), length}};
}

History full_history(const Dataset& dataset, std::int32_t user) {
  return {dataset.interactions, dataset.timelines.of(user)};
}

std::vector<std::int32_t> CandidateFilter::candidates(const History& history,
                                                      std::int32_t excluded_item) {
  ++call_;
  std::vector<std::int32_t> result;
  for (std::size_t index = history.size(); index-- > 0;) {
    const std::int32_t item = history.item(index);
    if (item == excluded_item || seen_in_[item] == call_) continue;
    seen_in_[item] = call_;
    result.push_back(static_cast<std::int32_t>(index));
  }
  std::reverse(result.begin(), result.end());
  return result;
}

}  // namespace rallrec::data
