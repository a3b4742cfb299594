#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Which rows of a table are looked for, and for whom.
struct NearestTask {
  const float* queries = nullptr;  // fp32 [query_count, width]
  std::int64_t query_count = 0;
  const float* table = nullptr;  // fp32 [rows, width]
  std::int64_t rows = 0;
  std::int64_t width = 0;
  std::int64_t k = 0;
  // Rows that a query does not want, such as the items a user has: query q leaves out
  // excluded[excluded_offsets[q], excluded_offsets[q + 1]), ascending. nullptr = none.
  const std::int64_t* excluded_offsets = nullptr;  // [query_count + 1]
  const std::int32_t* excluded = nullptr;
  // On a GPU: products that are in memory at a time, 4 bytes each.
  std::int64_t most_products = std::int64_t{1} << 24;
};

// The k rows of the table with the largest dot products with each query, best first, equal products
// in order of their rows; rows whose product is NaN or -inf are never found.
//   best    int32 [query_count, k], -1 beyond the last found
//   scores  fp32 likewise, 0 there
// Exact: every product is taken, a block of the table at a time, and no more than a block of them
// is in memory. The bits of a score depend on its two rows alone. On a CUDA queue all pointers are
// device memory, k is at most 2048 and the call only enqueues. Throws Error on a negative size and
// on null where there is something to read or write; ids are trusted.
void nearest_rows(const Queue& queue, const NearestTask& task, std::int32_t* best, float* scores);

inline Work nearest_rows_work(const NearestTask& t) {
  return {4 * (t.width * (t.query_count + t.rows) + 2 * t.query_count * t.k),
          2 * t.width * t.query_count * t.rows};
}

}  // namespace rallrec::kernels
