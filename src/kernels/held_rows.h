#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Rows of a table of which a rank holds only some, each at a place in a matrix of its own.

// places[i] = place_of[ids[i]] for i < count: where the rows of a list lie. All int32 and in the
// queue's memory; ids are rows of the table and are trusted.
void find_places(const Queue& queue, const std::int32_t* place_of, const std::int32_t* ids,
                 std::int64_t count, std::int32_t* places);

// taken[i] = rows[places[i]] where begin <= places[i] < end, else a row of zero bits; fp32
// [count, width] from [any, width]. Ranks whose ranges hold different rows complete each other's
// results by adding them up as integers, bit for bit.
void take_rows(const Queue& queue, const float* rows, std::int64_t width,
               const std::int32_t* places, std::int64_t count, std::int64_t begin, std::int64_t end,
               float* taken);

inline Work find_places_work(std::int64_t count) { return {12 * count, 0}; }

inline Work take_rows_work(std::int64_t count, std::int64_t width) {
  return {4 * count * (2 * width + 1), 0};
}

}  // namespace rallrec::kernels
