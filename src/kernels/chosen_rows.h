#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// x[rows[i]] += y[i] for i < count, where the chosen rows ascend and may repeat: repeats are added
// to the row one after the other, in order of i. x is [any, columns], y [count, columns], both fp32
// without gaps; all lie in the queue's memory, and y does not overlap x. One thread owns a column
// of all repeats of a row, so the bits are the same on the CPU and on CUDA whatever the threads.
//
// Throws Error on a negative size, on null where there is something to add and, on the CPU, on rows
// that do not ascend from 0. On a CUDA queue the call only enqueues and the rows are trusted.
//
// The other direction, y[i] = x[rows[i]], is embedding_gather.h. segment_sum.h is for rows in any
// order, grouped on the host; it adds the members of a group up before the row's own value.
void add_to_chosen_rows(const Queue& queue, std::int64_t count, std::int64_t columns,
                        const std::int64_t* rows, const float* y, float* x);

// x[rows[i]] = y[i] for i < count; no row is chosen twice. Shapes, memory and errors as above.
void copy_to_chosen_rows(const Queue& queue, std::int64_t count, std::int64_t columns,
                         const std::int64_t* rows, const float* y, float* x);

inline Work copy_to_chosen_rows_work(std::int64_t count, std::int64_t columns) {
  return {count * (8 * columns + 8), 0};
}

// Where no row repeats.
inline Work add_to_chosen_rows_work(std::int64_t count, std::int64_t columns) {
  return {count * (12 * columns + 8), count * columns};
}

}  // namespace rallrec::kernels
