#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// A layer of the cross network of DCN (Wang et al., ADKDD 2017, eq. 3), row by row:
//   y = x0 · <x, w> + b + x
// with x0 the network's input and x this layer's. All matrices are fp32 [batch, width], row-major;
// w and b fp32 [width]; everything is in the queue's memory. On a CUDA queue a call is enqueued and
// returns. Throws Error on a negative size or on null where there is something to read or write.
struct CrossShape {
  std::int64_t batch = 0;
  std::int64_t width = 0;
};

struct CrossInput {
  const float* x0;
  const float* x;
  const float* w;
  const float* b;
};

// y may be x or x0. `dots` [batch], where not null, receives <x, w> for the backward pass. A row's
// bits do not depend on the other rows.
void cross_layer(const Queue& queue, const CrossShape& shape, const CrossInput& input, float* y,
                 float* dots);

struct CrossBackwardInput {
  const float* x0;
  const float* x;
  const float* w;
  const float* dots;  // what cross_layer left
  const float* dy;
  const float* residual;  // [batch, width], a gradient that reaches x0 by another way; null = none
};

struct CrossGradients {
  float* dx0;  // residual + <x, w> · dy; may be the residual itself
  float* dx;   // dy + t · w,  t = <x0, dy>
  float* dw;   // Σ over the batch of t · x
  float* db;   // Σ over the batch of dy
};

// No result may overlap an input, but dx0 the residual. The sums over the batch are made in parts
// of kCrossPart rows, which are added in order: their bits depend on the sizes alone.
void cross_layer_backward(const Queue& queue, const CrossShape& shape,
                          const CrossBackwardInput& input, const CrossGradients& gradients);

constexpr std::int64_t kCrossPart = 64;

inline Work cross_layer_work(const CrossShape& s) {
  return {4 * (3 * s.batch * s.width + 2 * s.width + s.batch), 5 * s.batch * s.width};
}

// With a residual.
inline Work cross_layer_backward_work(const CrossShape& s) {
  return {4 * (6 * s.batch * s.width + 3 * s.width + s.batch), 9 * s.batch * s.width};
}

}  // namespace rallrec::kernels
