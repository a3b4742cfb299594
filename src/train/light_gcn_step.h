#pragma once

#include <cstdint>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"
#include "kernels/bpr.h"
#include "models/graph/light_gcn.h"
#include "train/adam.h"

namespace rallrec::train {

// Triples of graph nodes: items are numbered after the users.
struct NodeTriples {
  std::vector<std::int32_t> users;
  std::vector<std::int32_t> positives;
  std::vector<std::int32_t> negatives;

  void clear();
  kernels::BprBatch batch() const;
};

// The layer-0 vectors E0 of LightGCN and one optimizer step on them. E0 is replicated; each rank
// owns a range of nodes, whose gradient rows and Adam moments it alone computes and keeps.
class LightGcnStep {
 public:
  // The adjacency and the communicator must outlive this object.
  LightGcnStep(const models::Adjacency& adjacency, const config::LightGcnOptions& options,
               distributed::Communicator& communicator);

  // One update from a batch that is the same on every rank. Returns the sum over its triples of the
  // loss before the update: BPR, plus reg_weight * (norms of the three gathered layer-0 matrices).
  // Collective.
  double run(const kernels::BprBatch& batch);

  // P(E0), [nodes, width] on every rank. Collective.
  void embeddings(std::vector<float>& result);

  const std::vector<float>& layer0() const { return layer0_; }

 private:
  double add_regularisation(const kernels::BprBatch& batch);

  const config::LightGcnOptions& options_;
  models::LightGcn model_;
  std::int64_t width_;
  Adam adam_;
  std::vector<float> layer0_;  // [nodes, width]
  std::vector<float> final_;   // [nodes, width]
  std::vector<float> margins_;
  std::vector<float> own_;       // [own nodes, width]
  std::vector<float> gradient_;  // [nodes, width]
};

}  // namespace rallrec::train
