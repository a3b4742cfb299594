#pragma once

#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "data/csr_graph.h"
#include "data/negative_sampler.h"
#include "kernels/bpr.h"

namespace rallrec::train {

// The BPR triples of one epoch in device memory: every edge of a user who has a negative, in an
// order of the epoch's own, each with one uniform negative. All of it is a function of (graph,
// seed, epoch) alone, so every rank has the same without talking.
class LightGcnTriples {
 public:
  // The graph must outlive this object. Throws bad data where no edge can be trained on.
  LightGcnTriples(const data::CsrGraph& graph, std::uint64_t seed, const Queue& queue);

  std::int64_t size() const { return static_cast<std::int64_t>(users_.size()); }
  // Draws the epoch's order and negatives. Blocks until the order is on the device; negatives are
  // drawn there, in the order of the queue.
  void start(std::int64_t epoch);
  // Triples [begin, end) of the epoch: graph nodes, items numbered after the users.
  kernels::BprBatch batch(std::int64_t begin, std::int64_t end) const;

 private:
  const data::CsrGraph& graph_;
  std::uint64_t seed_;
  data::NegativeSampler sampler_;
  // In the graph's order, in host memory.
  std::vector<std::int32_t> users_;
  std::vector<std::int32_t> positives_;  // nodes
  std::vector<std::uint32_t> edges_;
  // In the epoch's order, on the device.
  DeviceArray<std::int32_t> epoch_users_;
  DeviceArray<std::int32_t> epoch_positives_;
  DeviceArray<std::uint32_t> epoch_edges_;
  DeviceArray<std::int32_t> epoch_negatives_;
};

}  // namespace rallrec::train
