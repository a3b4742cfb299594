#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "distributed/partition.h"
#include "distributed/place.h"
#include "models/graph/adjacency.h"

namespace rallrec::models {

// Node ranges of `ranks` ranks in rank order, with about the same number of edges and nodes each.
std::vector<distributed::Range> partition_nodes(const Adjacency& adjacency, int ranks);

// LightGCN's propagation, data-parallel by rows:
//
//   P(X) = 1/(L+1) * sum_{l=0..L} Ã^l X      (eq. 4's embeddings are P(E0))
//
// evaluated from the inside, H <- Ã H + X, L times: one sparse product per layer and nothing to
// keep. Ã is symmetric, so the gradient of the loss with respect to X is P applied to the one with
// respect to P(X). Each rank computes its own rows, each summed wholly in CSR order, and gathers
// the others': bits depend neither on ranks nor on threads.
//
// Arrays are on the place's device and work is in the order of its queue. With NCCL the host waits
// for nothing but settle().
class LightGcn {
 public:
  // Copies the own rows of the adjacency to the device.
  LightGcn(const Adjacency& adjacency, std::int64_t layers, std::int64_t width,
           const distributed::Place& place);

  distributed::Range own_nodes() const { return own_; }
  std::int64_t width() const { return width_; }
  std::size_t own_count() const { return own_.size() * static_cast<std::size_t>(width_); }
  const distributed::Place& place() const { return place_; }

  // An empty array on the device.
  template <typename Value>
  DeviceArray<Value> array() const {
    return {place_.queue, kSetting};
  }

  // x and the result are [nodes, width], complete on every rank; they must not overlap. Collective.
  void propagate(const DeviceArray<float>& x, DeviceArray<float>& result);
  // The same, but `result` receives only the rows of own_nodes(): [own nodes, width].
  void propagate_own(const DeviceArray<float>& x, DeviceArray<float>& result);
  // own: [own nodes, width] on each rank; full: [nodes, width] on every rank. `own` is left in an
  // unspecified state. Collective.
  void gather(DeviceArray<float>& own, DeviceArray<float>& full);

  // Blocks until the gathers so far are done on this rank and throws what went wrong in them: to be
  // called before a result leaves the device. Collective.
  void settle();

 private:
  static constexpr const char* kSetting = "light_gcn.embedding_size or light_gcn.batch_size";

  // own <- scale * (Ã_own h + x_own).
  void layer(const float* h, const DeviceArray<float>& x, float scale, DeviceArray<float>& own);

  std::int64_t nodes_;
  std::int64_t layers_;
  std::int64_t width_;
  distributed::Place place_;
  distributed::Range own_;
  std::vector<std::size_t> counts_;  // floats per rank
  // The own rows of Ã.
  DeviceArray<std::int64_t> offsets_;
  DeviceArray<std::int32_t> neighbours_;
  DeviceArray<float> weights_;
  DeviceArray<float> own_rows_;
  DeviceArray<float> full_rows_;
};

}  // namespace rallrec::models
