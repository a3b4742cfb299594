#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// `columns` fp32 values of each of `rows` rows that lie in wider matrices. Strides are floats from
// a row to the next, at least `columns`.
struct ColumnsShape {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t from_stride = 0;
  std::int64_t to_stride = 0;
};

// A vector of `count` values.
inline ColumnsShape vector_shape(std::int64_t count) { return {1, count, count, count}; }

// to[r, c] = from[r, c]
//
// The two do not overlap. On a CUDA queue all pointers are device memory and the call only
// enqueues. Throws Error on a negative size and on a stride below the columns.
void copy_columns(const Queue& queue, const ColumnsShape& shape, const float* from, float* to);

// to[r, c] += factor · from[r, c], otherwise as copy_columns; element by element, so bits do not
// depend on threads.
void add_columns(const Queue& queue, const ColumnsShape& shape, float factor, const float* from,
                 float* to);

inline Work copy_columns_work(const ColumnsShape& s) { return {8 * s.rows * s.columns, 0}; }
inline Work add_columns_work(const ColumnsShape& s) {
  return {12 * s.rows * s.columns, 2 * s.rows * s.columns};
}

}  // namespace rallrec::kernels
