#include "kernels/segment_sum.h"

#include <algorithm>
#include <numeric>

#include "core/parallel_for.h"
#include "kernels/segment_sum_gpu.h"

namespace rallrec::kernels {
namespace {

void sum_group(const RowGroupsView& groups, std::int64_t group, std::int64_t columns,
               const float* dy, float* sum, float* table) {
  std::fill_n(sum, columns, 0.0F);
  for (std::int64_t m = groups.offsets[group]; m < groups.offsets[group + 1]; ++m) {
    const float* row = dy + groups.members[m] * columns;
    for (std::int64_t c = 0; c < columns; ++c) {
      sum[c] += row[c];
    }
  }
  float* to = table + groups.rows[group] * columns;
  for (std::int64_t c = 0; c < columns; ++c) {
    to[c] += sum[c];
  }
}

}  // namespace

RowGroups group_rows(const std::int64_t* ids, std::int64_t count) {
  RowGroups groups;
  groups.members.resize(static_cast<std::size_t>(count));
  std::iota(groups.members.begin(), groups.members.end(), std::int64_t{0});
  std::stable_sort(groups.members.begin(), groups.members.end(),
                   [ids](std::int64_t a, std::int64_t b) { return ids[a] < ids[b]; });
  for (std::int64_t m = 0; m < count; ++m) {
    const std::int64_t id = ids[groups.members[static_cast<std::size_t>(m)]];
    if (groups.rows.empty() || groups.rows.back() != id) {
      groups.rows.push_back(id);
      groups.offsets.push_back(m);
    }
  }
  groups.offsets.push_back(count);
  return groups;
}

void segment_sum(const Queue& queue, const RowGroupsView& groups, std::int64_t columns,
                 const float* dy, float* table) {
  if (queue.device == Device::kCuda) {
    detail::segment_sum_gpu(queue, groups, columns, dy, table);
    return;
  }
  parallel_for(groups.groups, 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> sum(static_cast<std::size_t>(columns));
    for (std::int64_t group = begin; group < end; ++group) {
      sum_group(groups, group, columns, dy, sum.data(), table);
    }
  });
}

}  // namespace rallrec::kernels
