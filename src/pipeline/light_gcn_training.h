// What the stage light_gcn and the command on a person's own files share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "data/csr_graph.h"
#include "distributed/communicator.h"
#include "metrics/ranking.h"
#include "train/light_gcn_trainer.h"

namespace rallrec::pipeline {

// Throws bad data about `file`, which the edges come from, where none can be trained on.
void require_edges(const data::CsrGraph& graph, const std::string& file);

// Without an edge a vector is only its random start, which says nothing: sets it to zero in
// `vectors`, [users + items, width].
void clear_vectors_without_edges(const data::CsrGraph& graph, std::int64_t width,
                                 std::vector<float>& vectors);
std::int64_t users_without_edge(const data::CsrGraph& graph);
std::int64_t items_without_edge(const data::CsrGraph& graph);

// Trains with progress on stderr, on cluster.device: with cuda a GPU per rank, whose ranks talk
// over NCCL while losses and metrics go by `communicator`. Collective.
train::LightGcnTraining train_light_gcn_with_progress(const data::CsrGraph& graph,
                                                      const data::CsrGraph& held_out,
                                                      const config::Options& options,
                                                      distributed::Communicator& communicator);

// Full ranking of the trained vectors at 10 and 20 against `relevant`, the graph's items masked.
// Users and items of `relevant` beyond those of the graph count and are never found. Collective.
metrics::RankingMetrics rank_all_items(const data::CsrGraph& graph, const data::CsrGraph& relevant,
                                       const train::LightGcnTraining& training, std::int64_t width,
                                       distributed::Communicator& communicator);

// Recall@20 over the held-out edges at the best epoch; negative where nothing was held out.
double best_valid_recall(const train::LightGcnTraining& training);
double seconds_per_epoch(const train::LightGcnTraining& training);

}  // namespace rallrec::pipeline
