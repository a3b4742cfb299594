#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/field_table.h"
#include "data/id_map.h"

namespace rallrec::data {

// One split of what the id-feature models learn from: sample s is user[s], item[s] and whether that
// went well.
struct CtrSamples {
  // The file, for messages.
  std::string source;
  std::vector<std::int32_t> user;
  std::vector<std::int32_t> item;
  std::vector<std::uint8_t> label;
  // Rounded down; empty where the source has none.
  std::vector<std::int64_t> timestamp;
  // The user's latest items before sample s, [history_offsets[s], history_offsets[s + 1]); no
  // offsets at all where histories are not asked for.
  std::vector<std::int64_t> history_offsets;
  std::vector<std::int32_t> history;

  std::int64_t size() const { return static_cast<std::int64_t>(user.size()); }
};

// Users and items with their columns (a row of a field table per id; ids beyond its rows have no
// values), and the three splits.
struct CtrData {
  IdMap users;
  IdMap items;
  FieldTable user_fields;
  FieldTable item_fields;
  CtrSamples train;
  CtrSamples valid;
  CtrSamples test;
};

// The samples of a run. `source` is the file for messages; the latest `history` items before each
// sample come along where that is positive.
CtrData ctr_data_of(Dataset&& dataset, const std::string& source, std::int64_t history);

// Throws bad data about a split that is empty or has one label only: nothing can be learned from
// it, and its AUC is not defined.
void require_both_labels(const CtrData& data);

}  // namespace rallrec::data
