#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// What lies between two linear layers. GELU is the exact one (Hendrycks & Gimpel 2016), x · Φ(x)
// with the normal distribution's Φ, and not the form with tanh.
enum class Activation { kNone, kRelu, kGelu, kTanh };

// y = f(x), element by element over `count` fp32 values; y may be x. The relative error is below
// 2e-6, but in GELU's left tail, x < -3, where 1e-8 is the absolute one. A NaN stays one. An
// element's bits depend on itself alone. On a CUDA queue all pointers are device memory and the
// calls only enqueue. Throws Error on a negative count or on null where there is something to do.
void activate(const Queue& queue, Activation activation, std::int64_t count, const float* x,
              float* y);

// dx = f'(x) · dy with the x that activate was given; dx may be x or dy. ReLU's slope at 0 is 0.
void activate_backward(const Queue& queue, Activation activation, std::int64_t count,
                       const float* x, const float* dy, float* dx);

// For GELU; an exponential counts as one operation.
inline Work activation_work(std::int64_t count) { return {8 * count, 26 * count}; }
inline Work activation_backward_work(std::int64_t count) { return {12 * count, 32 * count}; }

}  // namespace rallrec::kernels
