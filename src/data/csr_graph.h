#pragma once

#include <cstdint>
#include <vector>

#include "data/array_view.h"
#include "data/graph_edges.h"

namespace rallrec::data {

// The bipartite user-item graph, compressed by rows in both directions. Neighbours are ascending
// and distinct: a pair that occurs more than once is one edge.
struct CsrGraph {
  std::int32_t users = 0;
  std::int32_t items = 0;
  std::vector<std::int64_t> user_offsets;  // [users + 1]
  std::vector<std::int32_t> user_items;    // [edges]
  std::vector<std::int64_t> item_offsets;  // [items + 1]
  std::vector<std::int32_t> item_users;    // [edges]

  std::int64_t edges() const { return static_cast<std::int64_t>(user_items.size()); }
  ArrayView<std::int32_t> items_of(std::int32_t user) const {
    return row_view(user_offsets, user_items, user);
  }
  ArrayView<std::int32_t> users_of(std::int32_t item) const {
    return row_view(item_offsets, item_users, item);
  }
  std::int64_t user_degree(std::int32_t user) const {
    return user_offsets[user + 1] - user_offsets[user];
  }
  std::int64_t item_degree(std::int32_t item) const {
    return item_offsets[item + 1] - item_offsets[item];
  }
  // Binary search among the user's items.
  bool has_edge(std::int32_t user, std::int32_t item) const;
};

// Throws Error where an id is outside [0, users) or [0, items).
CsrGraph make_csr_graph(const EdgeList& edges, std::int32_t users, std::int32_t items);

}  // namespace rallrec::data
