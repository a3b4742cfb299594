#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Which rows of a batch belong to which row of a table: what the gradient of embedding_gather sums.
struct RowGroups {
  std::vector<std::int64_t> rows;     // of the table, ascending, each once
  std::vector<std::int64_t> offsets;  // [rows.size() + 1] into members
  std::vector<std::int64_t> members;  // positions in the batch, ascending within a group
};

// Groups the positions of `ids` [count] by their value. On the host.
RowGroups group_rows(const std::int64_t* ids, std::int64_t count);

// Views of RowGroups in the memory of the queue's device.
struct RowGroupsView {
  std::int64_t groups = 0;
  const std::int64_t* rows = nullptr;
  const std::int64_t* offsets = nullptr;
  const std::int64_t* members = nullptr;
};

// table[rows[g]] += Σ_{i in group g} dy[i], fp32, the members in their order and the table's own
// value last: no atomics, the same bits on the CPU and on CUDA whatever the threads.
//
// dy is [batch, columns], table [table rows, columns]; rows of no group stay as they are. On a CUDA
// queue the call only enqueues.
void segment_sum(const Queue& queue, const RowGroupsView& groups, std::int64_t columns,
                 const float* dy, float* table);

inline Work segment_sum_work(std::int64_t groups, std::int64_t members, std::int64_t columns) {
  return {4 * columns * (members + 2 * groups) + 8 * (members + 2 * groups), columns * members};
}

}  // namespace rallrec::kernels
