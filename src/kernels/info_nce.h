#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

// Symmetric InfoNCE (Oord et al., arXiv 1807.03748; eq. 5 of arXiv 2502.06101) for a block of rows
// against all columns. With scores s_ij = <x_i, y_j> / temperature and N columns,
//
//   loss = (1/N) sum_i [ lse_j(s_ij) - s_ii  +  lse_v(s_vi) - s_ii ],
//
// both directions added. Each tile of S feeds the row and the column log-sum-exp at once, and
// backward computes it again: S is never in memory. Where x and y hold unit vectors s is the cosine
// over the temperature; the kernel does not normalise.
//
// A caller that owns all rows uses one block with first_row 0. Otherwise the rows 0..N-1 are cut
// into blocks; forward runs per block, combine_column_lse joins the blocks' column statistics in
// block order, and backward runs per block with the joined ones. Results depend on the cut into
// blocks, not on who computes them nor on threads.
struct InfoNceBlock {
  const float* x = nullptr;    // [rows, width]: rows first_row … first_row + rows of X
  const float* y = nullptr;    // [columns, width]: all of Y
  std::int64_t first_row = 0;  // row i of the block has its positive in column first_row + i
  std::int64_t rows = 0;
  std::int64_t columns = 0;  // N; at least first_row + rows
  std::int64_t width = 0;
  float temperature = 1.0f;  // positive
  // On a GPU: inputs and gradients of scores are rounded to bf16 for the tensor cores, sums are
  // fp32. The CPU computes in fp32 in either case.
  bool bf16 = false;
};

//   row_lse     fp64 [rows], complete
//   column_lse  fp64 [columns], over this block's rows only; -inf where rows = 0
//   positive    fp32 [rows], s_ii
// Throws Error on a broken shape or a temperature that is not positive; inputs must be finite.
void info_nce_forward(const Queue& queue, const InfoNceBlock& block, double* row_lse,
                      double* column_lse, float* positive);

// result[j] = log sum over blocks of exp(partial[b * columns + j]), b in order. fp64; `result` may
// be the first block of `partial`.
void combine_column_lse(const Queue& queue, const double* partial, std::int64_t blocks,
                        std::int64_t columns, double* result);

// *sum = the block's share of N * loss: both directions of its rows. column_lse is the joined one,
// [columns]. A CPU adds the rows in order, a GPU in another one that their number fixes.
void info_nce_loss(const Queue& queue, const InfoNceBlock& block, const double* row_lse,
                   const double* column_lse, const float* positive, double* sum);

//   weight   the gradient of the result with respect to N * loss; 1/N for the loss itself
//   grad_x   fp32 [rows, width], written
//   grad_y   fp32 [columns, width], the block's share is added; nullptr where Y is frozen
// Work: 2 N² d flops forward and 6 N² d backward for N rows and columns of width d, and 2 N²
// exponentials each (one where all scores share a shift); bytes are 8 N d forward and 24 N d
// backward where caches hold the tiles. The GPU computes the scores once per direction of backward,
// 8 N² d there: two products that share a tile would need float atomics or a copy of the gradient
// per block.
// Scratch: on the CPU about 32 * 192 * width floats and 40 bytes per row and column. On the GPU 256
// bytes per row and 512 per column forward; backward up to 16 times the larger gradient where there
// are few rows, once from 32,768 rows on.
void info_nce_backward(const Queue& queue, const InfoNceBlock& block, const double* row_lse,
                       const double* column_lse, float weight, float* grad_x, float* grad_y);

void combine_column_lse_cpu(const double* partial, std::int64_t blocks, std::int64_t columns,
                            double* result);
void info_nce_forward_cpu(const InfoNceBlock& block, double* row_lse, double* column_lse,
                          float* positive);
void info_nce_backward_cpu(const InfoNceBlock& block, const double* row_lse,
                           const double* column_lse, float weight, float* grad_x, float* grad_y);
double info_nce_loss_cpu(const InfoNceBlock& block, const double* row_lse, const double* column_lse,
                         const float* positive);

}  // namespace rallrec::kernels
