#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/int8_rows.h"
#include "kernels/row_product.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// The values that int8_quantize took out of rows, times frozen int8 weights that lie as plain rows,
// W [columns, depth]: what is added to the int8 product of the rest (int8_outliers.h says why).
// fp32 sums over the slots of a row in their order; a row depends on its own slots alone, to the
// bit. A row with more outliers than slots is left as it is: its scale is NaN already. Slots name
// columns of the matrix that was quantised, ascending within a row.
//
// Row-major, in the queue's memory; on a CUDA queue a call is enqueued and returns. y must not
// overlap an operand. Throw Error on a negative size, or on null where there is something to read
// or write.

// y[i, j] += column_scale[j] · Σ_slots of i: value · w[j, column of the slot]. y is [rows,
// columns], column_scale [columns] (null = 1).
void add_outlier_rows(const Queue& queue, const ProductShape& shape, const OutlierSlots& outliers,
                      const std::int8_t* w, const float* column_scale, float* y);

// y[i, k] += Σ_slots of i: value · w[column of the slot, k]. y is [rows, depth].
void add_outlier_rows_transposed(const Queue& queue, const ProductShape& shape,
                                 const OutlierSlots& outliers, const std::int8_t* w, float* y);

// `count` outliers in all rows. Of W the transposed form reads a row per outlier, the other one a
// byte of every row.
inline Work add_outlier_rows_work(const ProductShape& s, std::int64_t count) {
  return {8 * count + count * s.columns + 8 * s.rows * s.columns, 2 * count * s.columns};
}

inline Work add_outlier_rows_transposed_work(const ProductShape& s, std::int64_t count) {
  return {8 * count + count * s.depth + 8 * s.rows * s.depth, 2 * count * s.depth};
}

}  // namespace rallrec::kernels
