#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Row `into` += row `from`.
struct RowAddition {
  std::int32_t into;
  std::int32_t from;
};

// Carries out `count` additions, one after the other, on rows of `width` fp32 values, [any, width]:
// sums in an order that the caller chooses, such as that of a tree. Element by element, so bits
// depend on nothing else, on either device. The additions and the values are in the queue's memory;
// on a CUDA queue the call only enqueues. Rows of one addition are different; all are inside.
void add_rows(const Queue& queue, const RowAddition* additions, std::int64_t count,
              std::int64_t width, float* values);

inline Work add_rows_work(std::int64_t count, std::int64_t width) {
  return {12 * count * width, count * width};
}

}  // namespace rallrec::kernels
