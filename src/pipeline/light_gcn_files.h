#pragma once

#include <string>

#include "config/options.h"
#include "distributed/communicator.h"

namespace rallrec::pipeline {

// LightGCN on a person's own RecBole atomic files.
struct LightGcnFiles {
  std::string interactions;  // .inter: every row is a training edge unless rated too low
  std::string valid;         // .inter, chooses the epoch; "" = train all epochs
  std::string test;          // .inter, ranked at the end; "" = no ranking
  std::string output;        // folder
};

// Trains and writes into the folder, on rank 0:
//   item_embeddings.npy, user_embeddings.npy   fp32, final: score = dot product; zero where there
//     is no edge
//   items.txt, users.txt                       the original id of each row
//   metrics.json                               recall@10, ndcg@10, recall@20, ndcg@20 on the test
//     file (full ranking, training items masked, mean over the users of that file), what of its
//     rows could not be found (held_out_rows.h), and how training went
// Users and items are those of `interactions`, in order of first appearance: the vectors do not
// depend on the test file, and on the valid file only by the epoch it chooses. Rows rated below
// options.light_gcn.min_rating are no edges where that is not 0 (held-out files may lack ratings).
// What an earlier run left under these names is removed first. Collective.
void light_gcn_on_files(const LightGcnFiles& files, const config::Options& options,
                        distributed::Communicator& communicator);

}  // namespace rallrec::pipeline
