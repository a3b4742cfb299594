#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// RMSNorm (Zhang & Sennrich 2019): y = weight ∘ x · r, r = 1 / sqrt(mean(x²) + eps), per row.
//
// x, y are fp32 [rows, columns], weight [columns]; y may be x. `inverse_rms` [rows], where not
// null, receives r for the backward pass. A row's result does not depend on the other rows.
void rms_norm(const Queue& queue, std::int64_t rows, std::int64_t columns, float eps,
              const float* x, const float* weight, float* y, float* inverse_rms);

// dx = residual + d(rms_norm)/dx applied to dy. `residual` [rows, columns] is a gradient that
// reaches x by another way; null = none. dx may be x, dy or residual. On a
// CUDA queue as above.
void rms_norm_backward(const Queue& queue, std::int64_t rows, std::int64_t columns, const float* x,
                       const float* weight, const float* inverse_rms, const float* dy,
                       const float* residual, float* dx);

inline Work rms_norm_work(std::int64_t rows, std::int64_t columns) {
  return {4 * (2 * rows * columns + columns + rows), 4 * rows * columns};
}

// With a residual.
inline Work rms_norm_backward_work(std::int64_t rows, std::int64_t columns) {
  return {4 * (4 * rows * columns + columns + rows), 9 * rows * columns};
}

}  // namespace rallrec::kernels
