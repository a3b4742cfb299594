#pragma once

#include <cstdint>
#include <vector>

#include "core/rng.h"
#include "models/graph/adjacency.h"

namespace rallrec::models {

using Edges = std::vector<std::vector<bool>>;  // edges[u][i]: user u has item i

inline Adjacency adjacency_of(const Edges& edges) {
  struct Lists {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> neighbours;
  };
  const auto rows_of = [&edges](bool transposed) {
    Lists lists;
    const std::size_t rows = transposed ? edges.front().size() : edges.size();
    const std::size_t columns = transposed ? edges.size() : edges.front().size();
    for (std::size_t r = 0; r < rows; ++r) {
      for (std::size_t c = 0; c < columns; ++c) {
        if (transposed ? edges[c][r] : edges[r][c]) {
          lists.neighbours.push_back(static_cast<std::int32_t>(c));
        }
      }
      lists.offsets.push_back(static_cast<std::int64_t>(lists.neighbours.size()));
    }
    return lists;
  };
  const Lists users = rows_of(false), items = rows_of(true);
  return normalised_adjacency({users.offsets, users.neighbours}, {items.offsets, items.neighbours});
}

// Every pair but those of user 0 and the last item, which have no edge, with a probability of
// 1 / one_in.
inline Edges random_edges(std::size_t users, std::size_t items, std::uint64_t one_in = 4) {
  Rng rng(8);
  Edges edges(users, std::vector<bool>(items));
  for (std::size_t u = 1; u < users; ++u) {
    for (std::size_t i = 0; i + 1 < items; ++i) {
      edges[u][i] = rng.next_below(one_in) == 0;
    }
  }
  return edges;
}

}  // namespace rallrec::models
