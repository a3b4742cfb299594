#include "text/refcompat_rerank.h"

#include <algorithm>
#include <functional>

namespace rallrec::text {
namespace {

using Places = std::vector<std::int32_t>;

Places head(const Places& places, std::size_t count) {
  return {places.begin(),
          places.begin() + static_cast<std::ptrdiff_t>(std::min(count, places.size()))};
}

// The first `count` of `places` that are not in `taken`.
Places first_others(const Places& places, const Places& taken, std::size_t count) {
  Places others;
  for (const std::int32_t place : places) {
    if (others.size() < count && std::find(taken.begin(), taken.end(), place) == taken.end()) {
      others.push_back(place);
    }
  }
  return others;
}

}  // namespace

TwoThirds two_thirds_of(const std::string& dataset) {
  if (dataset == "book-crossing") {
    return TwoThirds::kBookCrossing;
  }
  return dataset == "amazon" ? TwoThirds::kAmazon : TwoThirds::kMovieLens;
}

std::vector<std::int32_t> rerank_two_thirds(TwoThirds rule, const Places& similar,
                                            const Places& newest, std::int64_t history,
                                            std::int64_t k) {
  const auto limit = static_cast<std::size_t>(k);
  const std::size_t by_similarity = 2 * limit / 3;
  Places shown = head(similar, limit);
  if (rule != TwoThirds::kMovieLens && history <= k) {
    return shown;
  }
  if (rule != TwoThirds::kBookCrossing) {
    std::sort(shown.begin(), shown.end(), std::greater<>());  // a larger place is newer
  }
  shown = head(shown, by_similarity);
  Places others = first_others(newest, shown, limit - shown.size());
  if (rule != TwoThirds::kBookCrossing) {
    std::reverse(others.begin(), others.end());
  }
  shown.insert(shown.end(), others.begin(), others.end());
  return shown;
}

}  // namespace rallrec::text
