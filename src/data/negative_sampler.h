#pragma once

#include <cstdint>
#include <vector>

#include "data/csr_graph.h"

namespace rallrec::data {

// Draws items that a user has no edge to, uniformly. A draw is a pure function of (seed, epoch,
// edge): it does not depend on which rank or thread asks, nor in which order.
class NegativeSampler {
 public:
  // The graph must outlive the sampler. Edges are looked up in a bitmap where it takes at most
  // `bitmap_bytes`, else by binary search in the user's row; the result is the same.
  NegativeSampler(const CsrGraph& graph, std::uint64_t seed,
                  std::int64_t bitmap_bytes = std::int64_t{64} << 20);

  // False for a user who has an edge to every item.
  bool has_negative(std::int32_t user) const { return graph_.user_degree(user) < graph_.items; }
  // The negative of edge number `edge` (below 2^32), an edge of `user`. Throws Error where there is
  // none.
  std::int32_t sample(std::int32_t user, std::uint32_t epoch, std::int64_t edge) const;

 private:
  bool is_edge(std::int32_t user, std::int32_t item) const;

  const CsrGraph& graph_;
  std::uint64_t seed_;
  std::int64_t row_words_ = 0;
  std::vector<std::uint64_t> bitmap_;  // [users, row_words_]; empty = binary search
};

}  // namespace rallrec::data
