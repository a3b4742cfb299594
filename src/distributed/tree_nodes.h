#pragma once

#include <cstddef>
#include <vector>

#include "distributed/partition.h"

namespace rallrec::distributed {

// The binary tree of tree_reduction.h over `leaves` leaves, as additions of rows. A node is the
// range of the leaves under it.

// Whether [left.begin, right.end) is the tree node whose children are `left` and `right`, both
// nodes.
bool are_siblings(const Range& left, const Range& right, std::size_t leaves);

// sums[into] += sums[from].
struct NodeAddition {
  std::size_t into;
  std::size_t from;
};

// What adjoining nodes come to where each is added to its sibling as soon as both are there.
struct JoinedNodes {
  std::vector<NodeAddition> additions;  // in order
  std::vector<Range> nodes;             // that have no sibling, from left to right
  std::vector<std::size_t> places;      // of their sums
};

// `nodes`, from left to right without gaps, have their sums at places 0, 1, …
JoinedNodes join_nodes(const std::vector<Range>& nodes, std::size_t leaves);
// The same for the leaves of `range`: the nodes that are left are the largest inside it.
JoinedNodes join_leaves(const Range& range, std::size_t leaves);

}  // namespace rallrec::distributed
