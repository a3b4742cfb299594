#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace rallrec::ops {

// Which rows of X a call holds, and how the column statistics of all rows come together.
struct InfoNceRows {
  std::int64_t first_row = 0;
  // Rows per kernel call, positive; 0 = all rows in one. Results depend on it, so it must come from
  // sizes and config alone.
  std::int64_t block_rows = 0;
  // Receives this call's column log-sum-exps, one row of [columns] per block, and returns those
  // over all rows of X, [columns]. Empty: the call holds all rows. With ranks it is where they
  // exchange.
  std::function<std::vector<double>(const std::vector<double>& partial)> join;
  // Where not null it receives each block's share of N * loss, in double: summed in block order
  // over all calls they give a loss that does not depend on who computes which block.
  std::vector<double>* block_sums = nullptr;
};

// This call's share of symmetric InfoNCE, the scalar fp32
//
//   (1/N) sum over its rows i of [lse_j(s_ij) - s_ii + lse_v(s_vi) - s_ii],  s = X Yᵀ / temperature
//
// (eq. 5 with unit rows in X and Y; kernels/info_nce.h), differentiable in both arguments. Summed
// over calls it is the loss. The gradient of x is complete; that of y is this call's share.
//   x  fp32 [rows, width], y  fp32 [N, width], on the CPU, contiguous
at::Tensor info_nce(const at::Tensor& x, const at::Tensor& y, double temperature,
                    const InfoNceRows& rows = {});

}  // namespace rallrec::ops
