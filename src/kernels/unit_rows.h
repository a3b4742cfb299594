#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Rows divided by their Euclidean norm: y = x / ‖x‖, fp32 [rows, columns] in the queue's memory. A
// zero row stays zero. `norms` [rows], where not null, receives ‖x‖ for the backward pass; y may be
// x. A row's bits depend on itself alone. On a CUDA queue a call is enqueued and returns. Throws
// Error on a negative size or on null where there is something to read or write.
void unit_rows(const Queue& queue, std::int64_t rows, std::int64_t columns, const float* x,
               float* y, float* norms);

// dx = (dy - y <y, dy>) / ‖x‖ from the y and the norms that unit_rows left; dx may be dy. A zero
// row has no slope; its dx is 0.
void unit_rows_backward(const Queue& queue, std::int64_t rows, std::int64_t columns, const float* y,
                        const float* norms, const float* dy, float* dx);

inline Work unit_rows_work(std::int64_t rows, std::int64_t columns) {
  return {4 * (2 * rows * columns + rows), 3 * rows * columns};
}

inline Work unit_rows_backward_work(std::int64_t rows, std::int64_t columns) {
  return {4 * (3 * rows * columns + rows), 5 * rows * columns};
}

}  // namespace rallrec::kernels
