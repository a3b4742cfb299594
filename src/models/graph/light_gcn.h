#pragma once

#include <cstddef>
#include <cstdint>

#include "core/device_array.h"
#include "distributed/place.h"
#include "models/graph/adjacency.h"
#include "models/graph/row_exchange.h"

namespace rallrec::models {

// LightGCN's propagation, data-parallel by rows:
//
//   P(X) = 1/(L+1) * sum_{l=0..L} Ã^l X      (eq. 4's embeddings are P(E0))
//
// evaluated from the inside, H <- Ã H + X, L times: one sparse product per layer and nothing to
// keep. Ã is symmetric, so the gradient of the loss with respect to X is P applied to the one with
// respect to P(X). Each rank keeps and computes its own rows, each summed wholly in CSR order, and
// between layers gets the rows that its next product reads (row_exchange.h): bits depend neither on
// ranks nor on threads. On a GPU a full graph, as the whole of it decides, is multiplied as a
// bitmap (kernels/spmm_bitmap.h), for which every rank holds all rows.
//
// A matrix is [exchange().rows(), width] on each rank, in memory of the place's device; it is
// complete where the rows of others are filled in too. Work is in the order of the queue. With NCCL
// the host waits for nothing but settle().
class LightGcn {
 public:
  // Copies the own rows of the adjacency to the device.
  LightGcn(const Adjacency& adjacency, std::int64_t layers, std::int64_t width,
           const distributed::Place& place);

  const RowExchange& exchange() const { return exchange_; }
  bool by_bitmap() const { return by_bitmap_; }
  std::int64_t width() const { return width_; }
  // Floats of a matrix, and of its own rows.
  std::size_t count() const { return floats_of(exchange_.rows()); }
  std::size_t own_count() const {
    return floats_of(static_cast<std::int64_t>(exchange_.own_nodes().size()));
  }
  const distributed::Place& place() const { return place_; }

  // An empty array on the device.
  template <typename Value>
  DeviceArray<Value> array() const {
    return {place_.queue, kSetting};
  }
  // The first own row of a matrix.
  float* own(DeviceArray<float>& matrix) const {
    return matrix.data() + exchange_.own_begin() * width_;
  }
  const float* own(const DeviceArray<float>& matrix) const {
    return matrix.data() + exchange_.own_begin() * width_;
  }

  // The own rows of `result` <- P(x); x is complete and not `result`. Collective.
  void propagate(const DeviceArray<float>& x, DeviceArray<float>& result);
  // Fills in the rows of other ranks. Collective.
  void fill(DeviceArray<float>& matrix) { exchange_.fill(matrix); }
  // full: [nodes, width] in node order on every rank, from everybody's own rows. Collective.
  void gather(const DeviceArray<float>& matrix, DeviceArray<float>& full);

  // Blocks until the exchanges so far are done on this rank and throws what went wrong in them: to
  // be called before a result leaves the device. Collective.
  void settle();

 private:
  static constexpr const char* kSetting = "light_gcn.embedding_size or light_gcn.batch_size";

  std::size_t floats_of(std::int64_t rows) const { return static_cast<std::size_t>(rows * width_); }
  // The own rows of y <- scale * (Ã h + x).
  void layer(const DeviceArray<float>& h, const DeviceArray<float>& x, float scale,
             DeviceArray<float>& y);

  std::int64_t layers_;
  std::int64_t width_;
  distributed::Place place_;
  bool by_bitmap_;
  RowExchange exchange_;
  // The own rows of Ã; neighbours are rows of a matrix.
  DeviceArray<std::int64_t> offsets_;
  DeviceArray<std::int32_t> neighbours_;
  DeviceArray<float> weights_;
  // Or their bits, and D^(-1/2) of all nodes.
  DeviceArray<std::uint64_t> words_;
  DeviceArray<float> scales_;
  DeviceArray<float> between_;
};

}  // namespace rallrec::models
