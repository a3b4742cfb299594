#pragma once

#include <string>

#include "config/options.h"
#include "distributed/communicator.h"

namespace rallrec::pipeline {

// LightGCN on a person's own RecBole atomic files.
struct LightGcnFiles {
  std::string interactions;  // .inter: every row is a training edge
  std::string valid;         // .inter, chooses the epoch; "" = train all epochs
  std::string test;          // .inter, ranked at the end; "" = no ranking
  std::string output;        // folder
};

// Trains and writes into the folder, on rank 0:
//   item_embeddings.npy, user_embeddings.npy   fp32, final: score = dot product
//   items.txt, users.txt                       the original id of each row
//   metrics.json                               recall@10, ndcg@10, recall@20, ndcg@20 on the test
//     file (full ranking, training items masked, mean over the users of that file) and how training
//     went
// Users and items are those of all files, in order of first appearance. Rows of
// `interactions` rated below a positive options.light_gcn.min_rating are no edges. Collective.
void light_gcn_on_files(const LightGcnFiles& files, const config::Options& options,
                        distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
