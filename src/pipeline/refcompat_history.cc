#include "pipeline/refcompat_history.h"

#include <unordered_map>

namespace rallrec::pipeline {

std::vector<std::int32_t> newest_by_shifted_places(const data::History& history,
                                                   const std::vector<std::int32_t>& newest) {
  std::unordered_map<std::int32_t, std::int32_t> place_of;  // of each item that may be shown
  for (const std::int32_t place : newest) {
    place_of.emplace(history.item(static_cast<std::size_t>(place)), place);
  }
  std::vector<std::int32_t> found;
  for (std::size_t place = newest.size(); place-- > 0;) {
    const auto item = place_of.find(history.item(place));
    if (item != place_of.end()) {
      found.push_back(item->second);
      place_of.erase(item);  // once
    }
  }
  return found;
}

}  // namespace rallrec::pipeline
