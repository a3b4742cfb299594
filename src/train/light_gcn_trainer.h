#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "config/options.h"
#include "data/csr_graph.h"
#include "distributed/place.h"

namespace rallrec::train {

struct LightGcnEpoch {
  std::int64_t epoch = 0;  // from 1
  double loss = 0.0;       // mean over batches, weighted by size: BPR plus L2
  double seconds = 0.0;    // training only
  // Recall@20 over the held-out edges; negative where this epoch was not looked at.
  double valid_recall = -1.0;
};

struct LightGcnTraining {
  // P(E0), fp32 [users + items, width], users first: of the best epoch by valid recall, or of the
  // last where nothing is held out. Score of a pair = dot product. Equal on every rank.
  std::vector<float> embeddings;
  std::vector<LightGcnEpoch> epochs;
  std::int64_t best_epoch = 0;
};

// Trains LightGCN on `graph` (eq. 4; models/graph/light_gcn.h): BPR with one uniform negative per
// edge and epoch, L2 on the layer-0 vectors as norm over batch size, Adam, Xavier-uniform start.
//
// `held_out` (the same users and items, and perhaps more behind them, which are never found but
// count; may have no edges) chooses the epoch: every
// options.evaluate_every epochs and after the last, and training ends after options.patience looks
// without improvement. Without held-out edges all epochs are trained and the last counts. Users
// with an edge to every item have no negative; their edges stay in the graph but give no triples.
//
// Data-parallel by rows, on the device of `place`; on the CPU bits depend neither on ranks nor on
// threads. On a GPU the host waits once per epoch, for the loss. Throws bad data where no edge
// can be trained on, and Error (kNonFinite) where the loss is not finite. `on_epoch` is called on
// every rank. Collective.
LightGcnTraining train_light_gcn(const data::CsrGraph& graph, const data::CsrGraph& held_out,
                                 const config::LightGcnOptions& options,
                                 const distributed::Place& place,
                                 const std::function<void(const LightGcnEpoch&)>& on_epoch);

}  // namespace rallrec::train
