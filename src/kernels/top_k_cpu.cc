#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/top_k.h"

namespace rallrec::kernels {
namespace {

// Whether entry a of the lists comes before entry b. Total: no two entries are equal.
bool comes_first(const ScoredLists& lists, std::int64_t a, std::int64_t b) {
  const float left = lists.scores[a];
  const float right = lists.scores[b];
  if (left != right && !(std::isnan(left) && std::isnan(right))) {
    return left > right || std::isnan(right);
  }
  if (lists.recency != nullptr && lists.recency[a] != lists.recency[b]) {
    return lists.recency[a] > lists.recency[b];
  }
  if (lists.ids != nullptr && lists.ids[a] != lists.ids[b]) {
    return lists.ids[a] < lists.ids[b];
  }
  return a < b;
}

}  // namespace

void top_k_cpu(const ScoredLists& lists, std::int64_t k, std::int32_t* best) {
  parallel_for(lists.lists, 4, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> order;
    for (std::int64_t l = begin; l < end; ++l) {
      const std::int64_t first = lists.offsets[l];
      order.resize(static_cast<std::size_t>(lists.offsets[l + 1] - first));
      std::iota(order.begin(), order.end(), 0);
      const auto kept = std::min<std::int64_t>(k, static_cast<std::int64_t>(order.size()));
      std::partial_sort(
          order.begin(), order.begin() + kept, order.end(),
          [&](std::int32_t a, std::int32_t b) { return comes_first(lists, first + a, first + b); });
      std::int32_t* row = best + l * k;
      std::copy_n(order.begin(), kept, row);
      std::fill(row + kept, row + k, -1);
    }
  });
}

}  // namespace rallrec::kernels
