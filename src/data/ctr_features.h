#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/ctr_data.h"

namespace rallrec::data {

// A field of a sample, and its rows of the one table of feature embeddings. Where it holds words,
// row first_row stands for every value that no training sample has, and for none at all; the
// others follow in the order of first appearance. A field of numbers has one row, which is taken
// times the number.
struct FeatureField {
  std::string name;
  FieldKind kind = FieldKind::kToken;
  std::int32_t first_row = 0;
  std::int32_t rows = 1;
};

// Rows of the table with weights: entity e has, in its field f, the entries
// [offsets[e · fields + f], offsets[e · fields + f + 1]).
struct FeatureBags {
  std::int64_t fields = 0;
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> rows;
  std::vector<float> weights;
};

struct FeatureOptions {
  // Columns that are no features, by name.
  std::vector<std::string> leave_out;
};

// The features of all samples: those of the user (user_id and the user's columns), then those of
// the item, then, where samples have histories, their items. A word has weight 1, n words 1/n each:
// an embedding is their mean. Numbers count as standard deviations from the mean, both over the
// training samples; several are averaged first, and none is the mean. Derived columns are left out.
struct CtrFeatures {
  std::vector<FeatureField> fields;  // of a sample, in order
  FeatureBags users;
  FeatureBags items;
  // An item as a member of a history: one entry per item, without a weight. Empty where there are
  // no histories.
  std::vector<std::int32_t> history_rows;
  std::int32_t rows = 0;  // of the table

  bool has_history() const { return !history_rows.empty(); }
};

// Throws usage where leave_out names no column or leaves none, and where there are 2^31 rows.
CtrFeatures encode_features(const CtrData& data, const FeatureOptions& options);

}  // namespace rallrec::data
