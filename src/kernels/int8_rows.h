#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/int8_outliers.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// The 8-bit linear around an int8 × int8 → int32 product whose factors are plain rows
// (row_product.h): quantising before it, scales, bias and LoRA after it; outlier_rows.h adds what
// was taken out. On the CPU the program multiplies by int8_matmul.h, in its own layouts; these CPU
// paths are what the GPU's are compared with.

// Where outliers go: row i has its first min(counts[i], capacity) ones in slots [i · capacity, …),
// columns ascending.
struct OutlierSlots {
  std::int64_t capacity = 0;
  std::int32_t* counts = nullptr;   // [rows]
  std::int32_t* columns = nullptr;  // [rows, capacity]
  float* values = nullptr;          // [rows, capacity], scaled
};

// Row-wise absmax quantisation of v = x · column_scale: scale[i] = max_k |v[i, k]| / 127 and q =
// round(v / scale), ties to even. With a rule, its outliers (int8_outliers.h) are taken out first.
//
// x is fp32 [rows, depth], column_scale [depth] (null = 1), q int8 [rows, depth], scale [rows]. A
// row of zeros has scale 0. A row with a value that is not finite, or with more outliers than
// slots, has the scale NaN, values of 0 and no outliers but their count. On a CUDA queue all
// pointers are device memory and the call only enqueues.
struct Int8RowsInput {
  const float* x = nullptr;
  const float* column_scale = nullptr;
  const OutlierRule* rule = nullptr;  // host memory; null = no outliers are taken out
};

void int8_quantize(const Queue& queue, std::int64_t rows, std::int64_t depth,
                   const Int8RowsInput& input, std::int8_t* q, float* scale,
                   const OutlierSlots& outliers);

inline Work int8_quantize_work(std::int64_t rows, std::int64_t depth) {
  return {rows * (5 * depth + 4), 4 * rows * depth};
}

// y[i, j] (+)= row_scale[i] · column_scale[j] · sums[i, j] + bias[j] + Σ_r u[i, r] · b[j, r], fp32.
struct Int8Epilogue {
  const float* row_scale = nullptr;     // [rows]
  const float* column_scale = nullptr;  // [columns]; null = 1
  const float* bias = nullptr;          // [columns]; null = 0
  // The LoRA update: u = s · A x [rows, rank], b [columns, rank]; rank 0 = none, at most 64.
  std::int64_t rank = 0;
  const float* u = nullptr;
  const float* b = nullptr;
  bool accumulate = false;
};

constexpr std::int64_t kMostLoraRank = 64;

// sums is int32 [rows, columns], y fp32 [rows, columns]. On a CUDA queue all pointers are device
// memory and the call only enqueues.
void int8_epilogue(const Queue& queue, std::int64_t rows, std::int64_t columns,
                   const std::int32_t* sums, const Int8Epilogue& epilogue, float* y);

inline Work int8_epilogue_work(std::int64_t rows, std::int64_t columns, std::int64_t rank,
                               bool accumulate) {
  return {rows * columns * (accumulate ? 12 : 8) + 4 * (rows + columns) * (rank + 1),
          rows * columns * (3 + 2 * rank)};
}

// y[i, k] = bf16(q[i, k] · scale[i]), rounded to nearest even; q int8 [rows, depth], scale [rows],
// y bf16 as its 16 bits. On a CUDA queue all pointers are device memory and the call only enqueues.
void dequantize_rows(const Queue& queue, std::int64_t rows, std::int64_t depth,
                     const std::int8_t* q, const float* scale, std::uint16_t* y);

inline Work dequantize_rows_work(std::int64_t rows, std::int64_t depth) {
  return {rows * (3 * depth + 4), rows * depth};
}

}  // namespace rallrec::kernels
