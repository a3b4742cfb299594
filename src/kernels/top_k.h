#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

// Ragged lists of scored entries. List l has the entries [offsets[l], offsets[l + 1]).
struct ScoredLists {
  std::int64_t lists = 0;
  const std::int64_t* offsets = nullptr;  // [lists + 1]
  const float* scores = nullptr;          // per entry; NaN ranks last
  // Ties: the larger recency first, then the smaller id. nullptr = all equal; without ids the entry
  // that comes first in its list wins.
  const std::int64_t* recency = nullptr;
  const std::int32_t* ids = nullptr;
};

// best[l * k + r] = place within list l of its r-th best entry; -1 beyond the list's end. int32
// [lists, k]. The order is total, so the result depends on nothing but the input.
void top_k(const Queue& queue, const ScoredLists& lists, std::int64_t k, std::int32_t* best);

void top_k_cpu(const ScoredLists& lists, std::int64_t k, std::int32_t* best);

}  // namespace rallrec::kernels
