#include "models/graph/adjacency.h"

#include <cmath>

#include "core/check.h"

namespace rallrec::models {
namespace {

std::int64_t degree(const NeighbourLists& lists, std::int64_t row) {
  return lists.offsets[row + 1] - lists.offsets[row];
}

// Appends one side's rows; neighbours of the other side are numbered from `first_neighbour`.
void append_rows(const NeighbourLists& side, const NeighbourLists& other,
                 std::int64_t first_neighbour, Adjacency& adjacency) {
  const auto rows = static_cast<std::int64_t>(side.offsets.size()) - 1;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double own = static_cast<double>(degree(side, row));
    for (std::int64_t e = side.offsets[row]; e < side.offsets[row + 1]; ++e) {
      const std::int32_t neighbour = side.neighbours[e];
      const double theirs = static_cast<double>(degree(other, neighbour));
      adjacency.neighbours.push_back(static_cast<std::int32_t>(first_neighbour + neighbour));
      adjacency.weights.push_back(static_cast<float>(1.0 / std::sqrt(own * theirs)));
    }
    adjacency.offsets.push_back(static_cast<std::int64_t>(adjacency.neighbours.size()));
  }
}

}  // namespace

kernels::CsrView Adjacency::rows(std::int64_t begin, std::int64_t end) const {
  return {end - begin, nodes(), offsets.data() + begin, neighbours.data(), weights.data()};
}

Adjacency normalised_adjacency(const NeighbourLists& items_of_users,
                               const NeighbourLists& users_of_items) {
  RALLREC_CHECK(items_of_users.neighbours.size() == users_of_items.neighbours.size(),
                "normalised_adjacency: the two sides hold different edges");
  Adjacency adjacency;
  adjacency.users = static_cast<std::int64_t>(items_of_users.offsets.size()) - 1;
  adjacency.items = static_cast<std::int64_t>(users_of_items.offsets.size()) - 1;
  adjacency.offsets.reserve(static_cast<std::size_t>(adjacency.nodes()) + 1);
  adjacency.neighbours.reserve(2 * items_of_users.neighbours.size());
  adjacency.weights.reserve(2 * items_of_users.neighbours.size());
  adjacency.offsets.push_back(0);
  append_rows(items_of_users, users_of_items, adjacency.users, adjacency);
  append_rows(users_of_items, items_of_users, 0, adjacency);
  return adjacency;
}

}  // namespace rallrec::models
