#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace rallrec::testing {

// One person who had the items of those ids, `first_id` and following, `items` in all, in this
// order, each rated 4; the last is the target of the only test sample.
inline data::Dataset one_user(int first_id, int items, const std::vector<int>& history) {
  data::RawData raw;
  raw.source = "made up";
  raw.users.add("1");
  for (int item = 0; item < items; ++item) {
    raw.items.add(std::to_string(first_id + item));
  }
  for (std::size_t t = 0; t < history.size(); ++t) {
    raw.interactions.user.push_back(0);
    raw.interactions.item.push_back(history[t] - first_id);
    raw.interactions.rating.push_back(4.0f);
    raw.interactions.timestamp.push_back(static_cast<std::int64_t>(t));
  }
  config::DataOptions options;
  options.min_history = 0;
  options.train_share = 0.4;
  options.valid_share = 0.3;
  return build_dataset(std::move(raw), options);
}

}  // namespace rallrec::testing
