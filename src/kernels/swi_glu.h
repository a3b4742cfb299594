#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// SwiGLU (Shazeer 2020): y = gate · σ(gate) · up, element by element over `count` fp32 values. y
// may be gate or up. On a CUDA queue all pointers are device memory and the calls only enqueue.
void swi_glu(const Queue& queue, std::int64_t count, const float* gate, const float* up, float* y);

// Gradients with respect to gate and up, given dy. d_gate or d_up may be dy, gate or up.
void swi_glu_backward(const Queue& queue, std::int64_t count, const float* gate, const float* up,
                      const float* dy, float* d_gate, float* d_up);

// An exponential counts as one operation.
inline Work swi_glu_work(std::int64_t count) { return {12 * count, 5 * count}; }
inline Work swi_glu_backward_work(std::int64_t count) { return {20 * count, 12 * count}; }

}  // namespace rallrec::kernels
