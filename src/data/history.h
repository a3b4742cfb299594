#pragma once

#include <cstdint>
#include <vector>

#include "data/dataset.h"

namespace rallrec::data {

// One earlier interaction of a user.
struct HistoryEntry {
  std::int32_t item = 0;
  float rating = 0.0F;
};

// The interactions of a user before one of them, oldest first, newest last, in the order of the
// Dataset: a view on it that it must outlive.
class History {
 public:
  History(const InteractionTable& table, ArrayView<std::int32_t> rows)
      : table_(&table), rows_(rows) {}

  std::size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  std::int32_t item(std::size_t index) const { return table_->item[rows_[index]]; }
  float rating(std::size_t index) const { return table_->rating[rows_[index]]; }
  // Only where the data set has timestamps.
  std::int64_t timestamp(std::size_t index) const { return table_->timestamp[rows_[index]]; }
  HistoryEntry operator[](std::size_t index) const { return {item(index), rating(index)}; }

 private:
  const InteractionTable* table_;
  ArrayView<std::int32_t> rows_;
};

// Everything the sample's user did before the sample.
History history_of(const Dataset& dataset, std::int32_t sample);
// Everything the user did.
History full_history(const Dataset& dataset, std::int32_t user);

// Picks the retrieval candidates of a history: each item once, at its newest occurrence. Keeps one
// mark per item between calls, so a call costs only the length of the history. Not for concurrent
// use.
class CandidateFilter {
 public:
  explicit CandidateFilter(std::int32_t items) : seen_in_(static_cast<std::size_t>(items), 0) {}

  // Indices into `history`, ascending (oldest first). `excluded_item` is left out (-1: none).
  std::vector<std::int32_t> candidates(const History& history, std::int32_t excluded_item = -1);

 private:
  std::vector<std::uint32_t> seen_in_;
  std::uint32_t call_ = 0;
};

}  // namespace rallrec::data
