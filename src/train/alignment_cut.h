#pragma once

#include <cstdint>
#include <vector>

#include "distributed/partition.h"

namespace rallrec::train {

// The cut of the catalogue's rows into blocks, and of the blocks into ranks. A block is what the
// InfoNCE kernel and a leaf of the gradient's tree see at once: it follows from the number of rows
// alone, so that results do not depend on who computes which.
struct AlignmentCut {
  explicit AlignmentCut(std::int64_t count);

  std::int64_t rows;
  std::int64_t block_rows;
  std::int64_t blocks;

  // Blocks of each rank.
  std::vector<distributed::Range> parts(int ranks) const;
  // The first row of a block; of the number of blocks, `rows`.
  std::int64_t row(std::size_t block) const;
  // Elements per rank where each row has `per_row` and each block `per_block`.
  std::vector<std::size_t> counts(int ranks, std::int64_t per_row, std::int64_t per_block) const;
};

}  // namespace rallrec::train
