#pragma once

#include <cstdint>
#include <string>

#include "config/options.h"
#include "data/field_table.h"
#include "data/id_map.h"
#include "data/interaction_table.h"
#include "data/samples.h"

namespace rallrec::data {

// What a reader found in the files of a data set, before anything is ordered or dropped.
// Ids are dense in order of first appearance; the user and item files are read before the
// interactions, so row r of a field table belongs to id r, and ids without a row there have no
// fields.
struct RawData {
  // The file of the interactions, for messages.
  std::string source;
  IdMap users;
  IdMap items;
  FieldTable user_fields;
  FieldTable item_fields;
  InteractionTable interactions;
  // Rows of the training file where the source comes in two files (LightGCN txt); -1 elsewhere.
  std::int64_t train_rows = -1;
  // Rows that were dropped under the bad-row policy.
  std::int64_t rejected_rows = 0;
};

// A data set as all stages see it. Immutable once built.
//
// Users: those with at least one interaction. Items: the catalogue, that is every item of the item
// file or of an interaction. A dense id is the place of the original id in catalogue order
// (IdMap::sorted), so comparing dense ids compares original ids.
//
// "Earlier" and "newest" mean the order of the rows of `interactions`, whatever it stands for:
// (timestamp, user, item) where `time_ordered`; else that of data.order, and with data.split =
// shuffle the targets of the samples behind all other rows. A source without timestamps has none
// here either.
struct Dataset {
  IdMap users;
  IdMap items;
  FieldTable user_fields;
  FieldTable item_fields;
  InteractionTable interactions;
  Timelines timelines;
  SampleTable samples;
  bool time_ordered = true;
  // Rows left out by the filters of section [data].
  std::int64_t filtered_rows = 0;
  // Rows dropped because a newer row has the same user and item (0 without `deduplicate`).
  std::int64_t repeated_rows = 0;
  std::int64_t rejected_rows = 0;

  std::int32_t sample_user(std::int32_t sample) const {
    return interactions.user[samples.row[sample]];
  }
  std::int32_t sample_item(std::int32_t sample) const {
    return interactions.item[samples.row[sample]];
  }
  float sample_rating(std::int32_t sample) const {
    return interactions.rating[samples.row[sample]];
  }
  std::int64_t sample_timestamp(std::int32_t sample) const {
    return interactions.timestamp[samples.row[sample]];
  }
};

// Applies the filters, orders ids and rows, applies `options.deduplicate` (to rows in the order of
// time or of the file), builds timelines, samples and splits. Throws bad data where there are no
// interactions, no ratings, no timestamps for data.order = time, or a split is empty.
Dataset build_dataset(RawData&& raw, const config::DataOptions& options);

}  // namespace rallrec::data
