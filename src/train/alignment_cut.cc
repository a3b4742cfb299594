#include "train/alignment_cut.h"

#include <algorithm>

namespace rallrec::train {
namespace {

constexpr std::int64_t kMostBlocks = 16;
constexpr std::int64_t kFewestRows = 32;

}  // namespace

AlignmentCut::AlignmentCut(std::int64_t count)
    : rows(count),
      block_rows(std::max(kFewestRows, (count + kMostBlocks - 1) / kMostBlocks)),
      blocks((count + block_rows - 1) / block_rows) {}

std::vector<distributed::Range> AlignmentCut::parts(int ranks) const {
  std::vector<distributed::Range> result;
  for (int rank = 0; rank < ranks; ++rank) {
    result.push_back(distributed::split_evenly(static_cast<std::size_t>(blocks), ranks, rank));
  }
  return result;
}

std::int64_t AlignmentCut::row(std::size_t block) const {
  return std::min(static_cast<std::int64_t>(block) * block_rows, rows);
}

std::vector<std::size_t> AlignmentCut::counts(int ranks, std::int64_t per_row,
                                              std::int64_t per_block) const {
  std::vector<std::size_t> result;
  for (const distributed::Range& part : parts(ranks)) {
    result.push_back(static_cast<std::size_t>((row(part.end) - row(part.begin)) * per_row) +
                     part.size() * static_cast<std::size_t>(per_block));
  }
  return result;
}

}  // namespace rallrec::train
