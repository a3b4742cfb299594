#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace rallrec::data {

struct SplitStatistics {
  std::int64_t samples = 0;
  std::int64_t positives = 0;
  // Samples whose user, or item, is in no training sample.
  std::int64_t unseen_users = 0;
  std::int64_t unseen_items = 0;

  // 0 where there are no samples.
  double positive_rate() const;
};

struct FieldStatistics {
  std::string name;
  std::int64_t filled = 0;  // rows with a value
};

// What a person checks first about a data set.
struct DatasetStatistics {
  std::int64_t rows = 0;
  std::int64_t users = 0;
  std::int64_t items = 0;
  // Items with at least one interaction.
  std::int64_t used_items = 0;
  std::int64_t rejected_rows = 0;
  std::int64_t filtered_rows = 0;
  std::int64_t repeated_rows = 0;
  // Samples whose own item is in their history: they see the answer's neighbour, or the answer.
  std::int64_t samples_with_target_in_history = 0;
  double mean_history = 0.0;
  std::int64_t longest_history = 0;
  // The columns of the user and item files.
  std::vector<FieldStatistics> user_fields;
  std::vector<FieldStatistics> item_fields;
  // Indexed by Split.
  std::array<SplitStatistics, 3> splits;

  std::int64_t samples() const;
};

DatasetStatistics statistics_of(const Dataset& dataset);

// The figures as lines of text.
std::vector<std::string> lines_of(const DatasetStatistics& statistics);

}  // namespace rallrec::data
