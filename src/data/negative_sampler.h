#pragma once

#include <cstdint>
#include <vector>

#include "core/device_array.h"
#include "data/csr_graph.h"
#include "kernels/negative_sampling.h"

namespace rallrec::data {

// Draws items that a user has no edge to, uniformly, on a queue's device. A draw is a pure function
// of (seed, epoch, edge): it depends neither on the device nor on which rank or thread asks.
class NegativeSampler {
 public:
  // The graph must outlive the sampler. The edges are looked up on the device in a bitmap where
  // that takes at most `bitmap_bytes`, else by binary search in the user's row; the result is the
  // same.
  NegativeSampler(const CsrGraph& graph, std::uint64_t seed, const Queue& queue = {},
                  std::int64_t bitmap_bytes = std::int64_t{64} << 20);

  // False for a user who has an edge to every item.
  bool has_negative(std::int32_t user) const { return graph_.user_degree(user) < graph_.items; }

  // negatives[b] = first_item + the negative of edge number edges[b], an edge of users[b], b <
  // count, for users with a negative. Device memory; on a GPU this only enqueues.
  void draw(std::uint32_t epoch, const std::int32_t* users, const std::uint32_t* edges,
            std::int64_t count, std::int32_t first_item, std::int32_t* negatives) const;

 private:
  std::vector<std::uint64_t> bitmap() const;

  const CsrGraph& graph_;
  std::uint64_t seed_;
  Queue queue_;
  std::int64_t row_words_ = 0;
  DeviceArray<std::uint64_t> bitmap_;  // [users, row_words_]; empty = binary search in
  DeviceArray<std::int64_t> offsets_;  // the lists of CsrGraph
  DeviceArray<std::int32_t> neighbours_;
};

}  // namespace rallrec::data
