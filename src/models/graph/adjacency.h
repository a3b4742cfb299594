#pragma once

#include <cstdint>
#include <vector>

#include "kernels/csr_view.h"

namespace rallrec::models {

// One direction of a bipartite graph in compressed rows; neighbours are distinct.
struct NeighbourLists {
  const std::vector<std::int64_t>& offsets;
  const std::vector<std::int32_t>& neighbours;
};

// Ã = D^(-1/2) A D^(-1/2) of the bipartite user-item graph (He et al., LightGCN, arXiv 2002.02126).
// Nodes are the users 0 … users - 1 followed by the items. Ã is symmetric, so it is its own
// transpose. A node without an edge has an empty row.
struct Adjacency {
  std::int64_t users = 0;
  std::int64_t items = 0;
  std::vector<std::int64_t> offsets;     // [nodes + 1]
  std::vector<std::int32_t> neighbours;  // nodes, ascending within a row
  std::vector<float> weights;

  std::int64_t nodes() const { return users + items; }
  bool has_edge(std::int64_t node) const { return offsets[node] < offsets[node + 1]; }
  // Rows [begin, end) of Ã.
  kernels::CsrView rows(std::int64_t begin, std::int64_t end) const;
};

// `items_of_users` and `users_of_items` are the same edges from both sides. Throws Error where
// their numbers of edges differ.
Adjacency normalised_adjacency(const NeighbourLists& items_of_users,
                               const NeighbourLists& users_of_items);

}  // namespace rallrec::models
