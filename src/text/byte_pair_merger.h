#pragma once

#include <cstdint>
#include <vector>

#include "text/merge_table.h"

namespace rallrec::text {

// Byte-pair encoding (Sennrich et al. 2016) of one word: while some neighbouring pair is in the
// table, the pair of smallest rank, leftmost first, becomes one token. O(n log n) for n symbols.
// Keeps its buffers between calls; one object per thread.
class BytePairMerger {
 public:
  // Appends to `ids` what `symbols` (one token per byte of the word) come to.
  void merge(const std::vector<std::int32_t>& symbols, const MergeTable& table,
             std::vector<std::int64_t>& ids);

 private:
  struct Symbol {
    std::int32_t token;     // -1 = swallowed by its left neighbour
    std::int32_t previous;  // -1 = none
    std::int32_t next;
  };
  struct Candidate {
    std::int32_t rank;
    std::int32_t position;  // of the left symbol
    std::int32_t token;
  };

  void link(const std::vector<std::int32_t>& symbols);
  // Queues the pair (left, its next) if it merges.
  void offer(std::int32_t left, const MergeTable& table);
  // Joins the pair unless one of its halves has changed since it was queued.
  void apply(const Candidate& candidate, const MergeTable& table);

  std::vector<Symbol> symbols_;
  std::vector<Candidate> heap_;
};

}  // namespace rallrec::text
