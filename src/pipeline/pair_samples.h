#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "io/json_record.h"

namespace rallrec::pipeline {

// A user and an item, as dense ids.
struct Pair {
  std::int32_t user = 0;
  std::int32_t item = 0;
};

// The data set with other samples: one per pair, in their order, whose history is everything that
// the user did. What works on samples (retrieval, prompts) thereby works on pairs that nobody has
// rated. Each pair is a row after all others, at the newest timestamp and without a rating (0);
// timelines, and so histories, do not hold it. All are of the test split; their label, 0, means
// nothing.
data::Dataset with_pair_samples(data::Dataset dataset, const std::vector<Pair>& pairs);

// Dense ids of original ones. Usage with the nearest name where `name`, which `flag` gave, is
// unknown.
std::int32_t find_user(const data::Dataset& dataset, const std::string& name, const char* flag);
// The same of a record's key "user" or "item": bad data at its place.
std::int32_t user_of(const io::JsonRecord& record, const data::Dataset& dataset);
std::int32_t item_of(const io::JsonRecord& record, const data::Dataset& dataset);

}  // namespace rallrec::pipeline
