#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace rallrec::data {

// User-item pairs; user[e], item[e] are dense ids.
struct EdgeList {
  std::vector<std::int32_t> user;
  std::vector<std::int32_t> item;

  std::size_t size() const { return user.size(); }
  void add(std::int32_t user_id, std::int32_t item_id);
};

struct EdgeSplit {
  EdgeList train;
  EdgeList held_out;
};

// A user must have more rows than this before the newest is held out: in the public RALLRec code 10
// on MovieLens, 5 on Book-Crossing, and 5 of the samples on Amazon.
constexpr std::int64_t kHeldOutMinRows = 10;

// Every user with more than `min_rows` edges gives the last of them to `held_out`, unless the
// item has no other edge. `edges` must be in order; both results are, too. Equal to the
// leave-one-out of the public RALLRec code.
EdgeSplit hold_out_newest(const EdgeList& edges, std::int32_t users, std::int32_t items,
                          std::int64_t min_rows = kHeldOutMinRows);

// All rows, in order, that are rated at least `min_rating`; 0 and a table without ratings keep all.
EdgeList edges_of(const InteractionTable& table, double min_rating);

// All interactions with a rating of at least `min_rating`, in order.
EdgeList all_edges(const Dataset& dataset, double min_rating);
// The same of the rows that are samples.
EdgeList sample_edges(const Dataset& dataset, double min_rating);
// The same, but only up to and including the last training sample: nothing of valid or test.
EdgeList edges_up_to_last_train(const Dataset& dataset, double min_rating);

// The edges of the section [light_gcn] by its key `edges`:
//   "leave_one_out"             all_edges, then hold_out_newest
//   "leave_one_out_of_samples"  sample_edges, then hold_out_newest
//   "up_to_last_train"          edges_up_to_last_train, nothing held out; to choose an epoch hold
//   out from
//                       these with hold_out_newest
// Throws usage on another word.
EdgeSplit light_gcn_edges(const Dataset& dataset, const std::string& rule, double min_rating,
                          std::int64_t min_rows = kHeldOutMinRows);

}  // namespace rallrec::data
