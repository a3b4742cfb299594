#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

// SwiGLU (Shazeer 2020): y = gate · σ(gate) · up, element by element over `count` fp32 values. y
// may be gate or up.
void swi_glu(const Queue& queue, std::int64_t count, const float* gate, const float* up, float* y);

// Gradients with respect to gate and up, given dy. d_gate or d_up may be dy, gate or up.
void swi_glu_backward(const Queue& queue, std::int64_t count, const float* gate, const float* up,
                      const float* dy, float* d_gate, float* d_up);

}  // namespace rallrec::kernels
