#include "distributed/tree_reduction.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/parallel_for.h"
#include "distributed/tree_nodes.h"

namespace rallrec::distributed {
namespace {

std::vector<Range> gather_ranges(Communicator& communicator, const Range& mine,
                                 std::size_t leaves) {
  const std::int64_t bounds[2] = {static_cast<std::int64_t>(mine.begin),
                                  static_cast<std::int64_t>(mine.end)};
  std::vector<std::int64_t> all(2 * static_cast<std::size_t>(communicator.size()));
  communicator.all_gather(bounds, all.data(), 2, DType::kInt64);
  std::vector<Range> ranges;
  std::size_t covered = 0;
  for (std::size_t i = 0; i < all.size(); i += 2) {
    ranges.push_back({static_cast<std::size_t>(all[i]), static_cast<std::size_t>(all[i + 1])});
    RALLREC_CHECK(ranges.back().begin == covered && ranges.back().end >= covered,
                  "tree reduction: the range of rank " + std::to_string(i / 2) +
                      " does not follow that of the rank before it");
    covered = ranges.back().end;
  }
  RALLREC_CHECK(covered == leaves, "tree reduction: the ranges cover " + std::to_string(covered) +
                                       " of " + std::to_string(leaves) + " leaves");
  return ranges;
}

void add_to(float* accumulator, const float* value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    accumulator[i] += value[i];
  }
}

// Elements of a leaf that are added up at once; they and the partial sums stay in the cache.
constexpr std::size_t kSumElements = 2048;

// The sum of a node's leaves in the order of the tree, for elements [begin, end). leaves[i] is leaf
// first + i.
class NodeSum {
 public:
  NodeSum(const std::vector<const float*>& leaves, std::size_t first, const Range& elements)
      : leaves_(leaves), first_(first), elements_(elements) {}

  // Writes to sum[0 … elements.size()).
  void write(const Range& node, float* sum, std::size_t depth = 0) {
    const std::size_t count = elements_.size();
    if (node.size() == 1) {
      std::memcpy(sum, leaves_[node.begin - first_] + elements_.begin, count * sizeof(float));
      return;
    }
    std::size_t half = 1;
    while (2 * half < node.size()) {
      half *= 2;
    }
    write({node.begin, node.begin + half}, sum, depth + 1);
    if (right_.size() <= depth) {
      right_.resize(depth + 1);
    }
    std::vector<float> right = std::move(right_[depth]);
    right.resize(count);
    write({node.begin + half, node.end}, right.data(), depth + 1);
    add_to(sum, right.data(), count);
    right_[depth] = std::move(right);
  }

 private:
  const std::vector<const float*>& leaves_;
  std::size_t first_;
  Range elements_;
  std::vector<std::vector<float>> right_;  // of each depth
};

// Completes the tree from its nodes, whose sums lie one behind the other in `sums`; the root's sum
// ends up first.
void complete_tree(const std::vector<Range>& nodes, std::size_t leaves, float* sums,
                   std::size_t count) {
  const JoinedNodes joined = join_nodes(nodes, leaves);
  for (const NodeAddition& addition : joined.additions) {
    add_to(sums + addition.into * count, sums + addition.from * count, count);
  }
  RALLREC_CHECK(joined.nodes.size() <= 1, "tree reduction: the nodes do not form the tree");
}

}  // namespace

TreeReduction::TreeReduction(std::size_t leaves, Range mine, std::size_t count)
    : leaves_(leaves), mine_(mine), count_(count), next_leaf_(mine.begin) {
  RALLREC_CHECK(mine.begin <= mine.end && mine.end <= leaves,
                "tree reduction: the range of leaves is not inside the tree");
}

void TreeReduction::add(const float* leaf) {
  RALLREC_CHECK(next_leaf_ < mine_.end, "tree reduction: more leaves added than the range has");
  Node node{{next_leaf_, next_leaf_ + 1}, std::unique_ptr<float[]>(new float[count_])};
  if (count_ > 0) {
    std::memcpy(node.sum.get(), leaf, count_ * sizeof(float));
  }
  ++next_leaf_;
  nodes_.push_back(std::move(node));
  merge_last_nodes();
}

void TreeReduction::add_all(const std::vector<const float*>& leaves) {
  RALLREC_CHECK(leaves.size() <= mine_.end - next_leaf_,
                "tree reduction: more leaves added than the range has");
  // The nodes may join those of earlier leaves, which add() does.
  if (!nodes_.empty()) {
    for (const float* leaf : leaves) {
      add(leaf);
    }
    return;
  }
  const std::size_t first = next_leaf_;
  next_leaf_ += leaves.size();
  for (const Range& range : join_leaves({first, next_leaf_}, leaves_).nodes) {
    nodes_.push_back({range, std::unique_ptr<float[]>(new float[count_])});
  }
  const std::size_t blocks = (count_ + kSumElements - 1) / kSumElements;
  parallel_for(static_cast<std::int64_t>(blocks), 4, [&](std::int64_t begin, std::int64_t end) {
    for (auto block = static_cast<std::size_t>(begin); block < static_cast<std::size_t>(end);
         ++block) {
      const Range elements{block * kSumElements, std::min((block + 1) * kSumElements, count_)};
      NodeSum sum(leaves, first, elements);
      for (const Node& node : nodes_) {
        sum.write(node.range, node.sum.get() + elements.begin);
      }
    }
  });
}

void TreeReduction::merge_last_nodes() {
  while (nodes_.size() > 1 &&
         are_siblings(nodes_[nodes_.size() - 2].range, nodes_.back().range, leaves_)) {
    Node& left = nodes_[nodes_.size() - 2];
    add_to(left.sum.get(), nodes_.back().sum.get(), count_);
    left.range.end = nodes_.back().range.end;
    nodes_.pop_back();
  }
}

// Each rank completes the tree for its slice of the elements: additions are element by element, so
// the cut cannot change a bit, and neither the traffic nor the work piles up on one rank.
void TreeReduction::finish(Communicator& communicator, float* output) {
  RALLREC_CHECK(next_leaf_ == mine_.end,
                "tree reduction: " + std::to_string(mine_.end - next_leaf_) +
                    " leaves of the range were not added");
  const int size = communicator.size();
  if (size == 1 && mine_.size() == leaves_ && !nodes_.empty()) {
    std::copy_n(nodes_.front().sum.get(), count_, output);
    nodes_.clear();
    return;
  }
  const std::vector<Range> ranges = gather_ranges(communicator, mine_, leaves_);
  const Range my_slice = split_evenly(count_, size, communicator.rank());

  std::vector<Range> nodes;
  std::vector<std::size_t> send_counts;
  std::vector<std::size_t> receive_counts;
  std::vector<std::size_t> slice_counts;
  std::vector<float> send;
  send.reserve(nodes_.size() * count_);
  for (int peer = 0; peer < size; ++peer) {
    const Range slice = split_evenly(count_, size, peer);
    for (const Node& node : nodes_) {
      send.insert(send.end(), node.sum.get() + slice.begin, node.sum.get() + slice.end);
    }
    const std::vector<Range> theirs =
        join_leaves(ranges[static_cast<std::size_t>(peer)], leaves_).nodes;
    nodes.insert(nodes.end(), theirs.begin(), theirs.end());
    send_counts.push_back(nodes_.size() * slice.size());
    receive_counts.push_back(theirs.size() * my_slice.size());
    slice_counts.push_back(slice.size());
  }
  nodes_.clear();
  // With no leaves at all the zeros of one vector are the result.
  std::vector<float> sums(std::max<std::size_t>(nodes.size(), 1) * my_slice.size());
  communicator.all_to_all_v(send.data(), send_counts, sums.data(), receive_counts, DType::kFloat32);
  complete_tree(nodes, leaves_, sums.data(), my_slice.size());
  communicator.all_gather_v(sums.data(), output, slice_counts, DType::kFloat32);
}

void tree_all_reduce(Communicator& communicator, std::size_t leaves, Range mine,
                     const std::vector<const float*>& mine_leaves, float* output,
                     std::size_t count) {
  RALLREC_CHECK(mine_leaves.size() == mine.size(),
                "tree_all_reduce: the number of leaves is not that of the range");
  TreeReduction reduction(leaves, mine, count);
  for (const float* leaf : mine_leaves) {
    reduction.add(leaf);
  }
  reduction.finish(communicator, output);
}

}  // namespace rallrec::distributed
