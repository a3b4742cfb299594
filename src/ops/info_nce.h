#pragma once

#include <ATen/ATen.h>

namespace rallrec::ops {

// Symmetric InfoNCE of all rows of X against all of Y, the scalar fp32
//
//   (1/N) sum over rows i of [lse_j(s_ij) - s_ii + lse_v(s_vi) - s_ii],  s = X Yᵀ / temperature
//
// (eq. 5 with unit rows in X and Y; kernels/info_nce.h), differentiable in both arguments.
//   x, y  fp32 [N, width], on the CPU, contiguous
at::Tensor info_nce(const at::Tensor& x, const at::Tensor& y, double temperature);

}  // namespace rallrec::ops
