#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"

namespace rallrec::data {

struct MadeUpRow {
  std::string user;
  std::string item;
  float rating;
  std::int64_t timestamp;
};

inline RawData made_up_raw(const std::vector<MadeUpRow>& rows) {
  RawData raw;
  raw.source = "made_up.inter";
  for (const MadeUpRow& row : rows) {
    raw.interactions.user.push_back(raw.users.add(row.user));
    raw.interactions.item.push_back(raw.items.add(row.item));
    raw.interactions.rating.push_back(row.rating);
    raw.interactions.timestamp.push_back(row.timestamp);
  }
  return raw;
}

// Options under which every row with `min_history` earlier ones is a training sample.
inline config::DataOptions all_training(std::int64_t min_history) {
  config::DataOptions options;
  options.min_history = min_history;
  options.train_share = 1.0;
  options.valid_share = 0.0;
  return options;
}

}  // namespace rallrec::data
