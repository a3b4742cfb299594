#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// y [columns, rows] = scale · xᵀ of x [rows, columns], both fp32 without gaps in the queue's
// memory; they must not overlap. Each value is one product, so the bits are the same everywhere. On
// a CUDA queue the call only enqueues. Throws Error on a negative size and on null where there are
// values.
void scaled_transpose(const Queue& queue, std::int64_t rows, std::int64_t columns, float scale,
                      const float* x, float* y);

// x [count] *= scale, in place, with the same promises.
void scale_values(const Queue& queue, std::int64_t count, float scale, float* x);

inline Work scaled_transpose_work(std::int64_t rows, std::int64_t columns) {
  return {8 * rows * columns, rows * columns};
}
inline Work scale_values_work(std::int64_t count) { return {8 * count, count}; }

}  // namespace rallrec::kernels
