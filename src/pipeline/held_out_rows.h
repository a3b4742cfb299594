#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/csr_graph.h"
#include "data/id_map.h"
#include "data/interaction_table.h"
#include "io/json_writer.h"

namespace rallrec::pipeline {

// Rows of a file that others count or name: how many, and the first few ids, each once.
struct NamedRows {
  std::int64_t rows = 0;
  std::vector<std::string> names;
};

// The rows of a valid or test file beside the graph that was trained on. A user or an item without
// a training edge is unknown: the model has nothing to rank it by.
struct HeldOutRows {
  // What is to be found, distinct pairs. Users and items of the training graph keep their numbers;
  // unknown ones have numbers behind these, so that they count and are never found (RankingTask).
  data::CsrGraph graph;
  std::int64_t rows = 0;
  std::int64_t rows_below_min_rating = 0;  // no edges, and not counted in what follows
  std::int64_t repeated_rows = 0;
  // Pairs that the graph has: known already, so neither to be found nor in the ranking.
  std::int64_t rows_in_training = 0;
  NamedRows of_unknown_users;
  NamedRows of_unknown_items;
};

// The rows `table` of `file` that are rated at least `min_rating` (0, and no ratings: all) beside
// the graph `train`. `users` and `items` hold the names of their ids; those from train.users and
// train.items on are not in the training file. Throws bad data where no row is left that could be
// found, and says why; `file` may be "", which has no rows.
HeldOutRows held_out_rows(const std::string& file, const data::InteractionTable& table,
                          double min_rating, const data::CsrGraph& train, const data::IdMap& users,
                          const data::IdMap& items);

// Warns of rows that cannot be found, naming the first ids.
void log_held_out_rows(const std::string& file, const HeldOutRows& held_out);

// {"rows", "rows_below_min_rating", "repeated_rows", "rows_in_training", "rows_of_unknown_users",
// "unknown_users": [the first few], "rows_of_unknown_items", "unknown_items"}.
io::JsonObjectWriter held_out_json(const HeldOutRows& held_out);

}  // namespace rallrec::pipeline
