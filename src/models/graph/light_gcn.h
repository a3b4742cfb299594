#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/device.h"
#include "distributed/communicator.h"
#include "distributed/partition.h"
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
class LightGcn {
 public:
  // The adjacency and the communicator must outlive this object.
  LightGcn(const Adjacency& adjacency, std::int64_t layers, std::int64_t width,
           distributed::Communicator& communicator);

  distributed::Range own_nodes() const { return own_; }
  std::int64_t width() const { return width_; }
  std::size_t own_count() const { return own_.size() * static_cast<std::size_t>(width_); }

  // x and the result are [nodes, width], complete on every rank; they must not overlap. Collective.
  void propagate(const std::vector<float>& x, std::vector<float>& result);
  // The same, but `result` receives only the rows of own_nodes(): [own nodes, width].
  void propagate_own(const std::vector<float>& x, std::vector<float>& result);
  // own: [own nodes, width] on each rank; full: [nodes, width] on every rank. `own` is left in an
  // unspecified state. Collective.
  void gather(std::vector<float>& own, std::vector<float>& full);

 private:
  // own <- Ã_own h + x_own.
  void layer(const float* h, const std::vector<float>& x, std::vector<float>& own);
  void scale(std::vector<float>& rows) const;

  const Adjacency& adjacency_;
  std::int64_t layers_;
  std::int64_t width_;
  distributed::Communicator& communicator_;
  distributed::Range own_;
  std::vector<std::size_t> counts_;  // floats per rank
  std::vector<float> own_rows_;
  std::vector<float> full_rows_;
};

}  // namespace rallrec::models
