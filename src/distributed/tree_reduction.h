#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "distributed/communicator.h"
#include "distributed/partition.h"

namespace rallrec::distributed {

// Sums `leaves` float vectors of `count` elements, spread over ranks, with the bits of one fixed
// binary tree, whatever the number of ranks and wherever the ranges are cut.
//
// The tree: the nodes of level k are [j 2^k, min((j + 1) 2^k, leaves)); a node is the element-wise
// fp32 sum left + right of its two children, or its only child. The root is the result; 0 leaves
// give zeros.
//
// Each rank adds the leaves of its range in ascending order, as they are computed; only the sums of
// the largest nodes inside the range are kept, so at most 2 log2(leaves) vectors. `finish`
// exchanges them and completes the tree. Every rank takes part, also with an empty range.
class TreeReduction {
 public:
  // `mine` is this rank's part of [0, leaves); the ranges of all ranks cover it in rank order.
  TreeReduction(std::size_t leaves, Range mine, std::size_t count);

  // Adds the next leaf: `count` floats, copied.
  void add(const float* leaf);

  // The next leaves at once, with the threads sharing the elements: the same bits as add() for one
  // after the other, and each leaf is read once.
  void add_all(const std::vector<const float*>& leaves);

  // Writes the sum of all leaves of all ranks to output[0, count) on every rank. Collective; call
  // once, after all leaves of the range were added. Throws Error (exit code 70) where leaves are
  // missing or the ranges do not cover [0, leaves).
  void finish(Communicator& communicator, float* output);

 private:
  // The sum of the leaves of one tree node.
  struct Node {
    Range range;
    std::unique_ptr<float[]> sum;
  };

  void merge_last_nodes();

  std::size_t leaves_;
  Range mine_;
  std::size_t count_;
  std::size_t next_leaf_;
  std::vector<Node> nodes_;
};

// The same in one call: leaves[i] is leaf mine.begin + i, `count` floats.
void tree_all_reduce(Communicator& communicator, std::size_t leaves, Range mine,
                     const std::vector<const float*>& mine_leaves, float* output,
                     std::size_t count);

}  // namespace rallrec::distributed
