#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "config/options.h"
#include "core/device_array.h"
#include "core/replay.h"
#include "distributed/place.h"
#include "kernels/adam.h"
#include "kernels/bpr.h"
#include "models/graph/light_gcn.h"
#include "train/triple_rows.h"

namespace rallrec::train {

// The layer-0 vectors E0 of LightGCN and optimizer steps on them (Adam, kernels/adam.h). Each rank
// keeps the rows of its own nodes, their moments, and of the others' what its products read. All of
// it is on the place's device.
class LightGcnStep {
 public:
  // Work is on the queue of `place`; `options` must outlive this object.
  LightGcnStep(const models::Adjacency& adjacency, const config::LightGcnOptions& options,
               const distributed::Place& place);

  // Makes room for the losses of that many steps and forgets those of earlier ones.
  void begin(std::int64_t steps);

  // One update from a batch that is the same on every rank: triples of graph nodes, items numbered
  // after the users, in device memory. On a GPU this only enqueues; a rank alone there starts a
  // CUDA graph, one for each number of triples. Collective.
  void run(const kernels::BprBatch& batch);

  // The sum over the triples of the steps since begin() of the loss before each update: BPR, plus
  // reg_weight * (norms of the three gathered layer-0 matrices) per step. The same on all ranks.
  // Blocks until the steps are done and throws what went wrong in them. Collective.
  double loss();

  // P(E0), [nodes, width] in host memory on every rank. Blocks. Collective.
  void embeddings(std::vector<float>& result);

  // [rows that this rank holds, width]; with one rank all nodes. Without layers those of others are
  // as at the start.
  const DeviceArray<float>& layer0() const { return layer0_; }
  const models::RowExchange& exchange() const { return model_.exchange(); }

 private:
  void step(const kernels::BprBatch& batch);
  kernels::BprBatch take_in(const kernels::BprBatch& batch);
  Replay& replay_of(std::int64_t triples);
  void add_regularisation();
  void update();

  const config::LightGcnOptions& options_;
  models::LightGcn model_;
  TripleRows triples_;
  std::int64_t width_;
  std::int64_t updates_ = 0;
  std::int64_t recorded_ = 0;                  // steps since begin()
  DeviceArray<double> losses_;                 // [steps, 4]: BPR, then the three norms
  DeviceArray<double> step_losses_;            // [4], of one step
  DeviceArray<kernels::AdamRates> all_rates_;  // of the steps since begin()
  DeviceArray<kernels::AdamRates> rates_;      // of one step
  DeviceArray<std::int32_t> nodes_;            // [3, batch], of one step
  // Matrices of the model.
  DeviceArray<float> layer0_;  // complete; without layers the own rows alone are kept up
  DeviceArray<float> final_;
  DeviceArray<float> gradient_;
  DeviceArray<float> layer0_gradient_;
  DeviceArray<float> slopes_;               // [batch]
  DeviceArray<float> first_moment_;         // [own nodes, width]
  DeviceArray<float> second_moment_;        // [own nodes, width]
  std::map<std::int64_t, Replay> replays_;  // by number of triples
};

}  // namespace rallrec::train
