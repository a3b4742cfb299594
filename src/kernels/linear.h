#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// A fully connected layer whose weights change from step to step: y = x Wᵀ + b, row by row, with
// x [rows, inputs], W [outputs, inputs], b [outputs], y [rows, outputs], all fp32 and row-major in
// the queue's memory. On a CUDA queue a call is enqueued and returns. Throws Error on a negative
// size or on null where there is something to read or write. No result may overlap an input.
//
// (fp32_matmul.h is for weights that stay: it takes them packed.)
struct LinearShape {
  std::int64_t rows = 0;
  std::int64_t inputs = 0;
  std::int64_t outputs = 0;
};

// `bias` may be null. A row's bits depend on itself alone, not on the rows beside it or on threads.
void linear(const Queue& queue, const LinearShape& shape, const float* x, const float* weight,
            const float* bias, float* y);

// dx [rows, inputs] = dy W, with the same promise.
void linear_backward_input(const Queue& queue, const LinearShape& shape, const float* dy,
                           const float* weight, float* dx);

// dweight [outputs, inputs] = dyᵀ x and dbias [outputs] = Σ dy over the rows, written over; `dbias`
// may be null. Rows are summed in an order that their number fixes: bits depend on the rows of the
// call alone, not on threads.
void linear_backward_weight(const Queue& queue, const LinearShape& shape, const float* x,
                            const float* dy, float* dweight, float* dbias);

// Each of the three reads two of x, W and y (or their gradients) and writes the third.
inline Work linear_work(const LinearShape& s) {
  return {4 * (s.rows * s.inputs + s.inputs * s.outputs + s.rows * s.outputs),
          2 * s.rows * s.inputs * s.outputs};
}

}  // namespace rallrec::kernels
