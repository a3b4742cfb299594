#include "kernels/info_nce.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "kernels/info_nce_gpu.h"

namespace rallrec::kernels {
namespace {

void check_block(const InfoNceBlock& block) {
  RALLREC_CHECK(block.rows >= 0 && block.columns >= 0 && block.width >= 0 && block.first_row >= 0,
                "info_nce: negative size");
  RALLREC_CHECK(block.first_row + block.rows <= block.columns,
                "info_nce: a row without its positive column");
  RALLREC_CHECK(block.temperature > 0.0f && std::isfinite(block.temperature),
                "info_nce: the temperature must be positive");
  const bool empty = block.rows == 0 || block.width == 0;
  RALLREC_CHECK(empty || (block.x != nullptr && block.y != nullptr), "info_nce: null input");
}

}  // namespace

void info_nce_forward(const Queue& queue, const InfoNceBlock& block, double* row_lse,
                      double* column_lse, float* positive) {
  check_block(block);
  if (queue.device == Device::kCuda) {
    detail::info_nce_forward_gpu(queue, block, row_lse, column_lse, positive);
  } else {
    info_nce_forward_cpu(block, row_lse, column_lse, positive);
  }
}

void combine_column_lse(const Queue& queue, const double* partial, std::int64_t blocks,
                        std::int64_t columns, double* result) {
  if (queue.device == Device::kCuda) {
    detail::combine_column_lse_gpu(queue, partial, blocks, columns, result);
  } else {
    combine_column_lse_cpu(partial, blocks, columns, result);
  }
}

void combine_column_lse_cpu(const double* partial, std::int64_t blocks, std::int64_t columns,
                            double* result) {
  for (std::int64_t j = 0; j < columns; ++j) {
    double maximum = -std::numeric_limits<double>::infinity();
    for (std::int64_t b = 0; b < blocks; ++b) {
      maximum = std::max(maximum, partial[b * columns + j]);
    }
    double sum = 0.0;
    for (std::int64_t b = 0; b < blocks && std::isfinite(maximum); ++b) {
      sum += std::exp(partial[b * columns + j] - maximum);
    }
    result[j] = std::isfinite(maximum) ? maximum + std::log(sum) : maximum;
  }
}

double info_nce_loss_cpu(const InfoNceBlock& block, const double* row_lse, const double* column_lse,
                         const float* positive) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < block.rows; ++i) {
    sum += row_lse[i] + column_lse[block.first_row + i] - 2.0 * positive[i];
  }
  return sum;
}

void info_nce_loss(const Queue& queue, const InfoNceBlock& block, const double* row_lse,
                   const double* column_lse, const float* positive, double* sum) {
  check_block(block);
  if (queue.device == Device::kCuda) {
    detail::info_nce_loss_gpu(queue, block, row_lse, column_lse, positive, sum);
  } else {
    *sum = info_nce_loss_cpu(block, row_lse, column_lse, positive);
  }
}

void info_nce_backward(const Queue& queue, const InfoNceBlock& block, const double* row_lse,
                       const double* column_lse, float weight, float* grad_x, float* grad_y) {
  check_block(block);
  if (queue.device == Device::kCuda) {
    detail::info_nce_backward_gpu(queue, block, row_lse, column_lse, weight, grad_x, grad_y);
  } else {
    info_nce_backward_cpu(block, row_lse, column_lse, weight, grad_x, grad_y);
  }
}

}  // namespace rallrec::kernels
