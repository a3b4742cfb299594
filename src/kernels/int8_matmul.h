#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

// The 8-bit matmul of frozen linears (w8a8): both factors are int8 values, products are summed
// exactly in int32, and one fp32 scale per row of each factor brings the result back. Exact sums
// make a row's result independent of the other rows, of the threads and of the instruction set.

// Columns of the packed factor that lie side by side.
constexpr std::int64_t kInt8PanelColumns = 16;

// Depth up to which an int32 sum of products of values in [-127, 127] cannot overflow.
constexpr std::int64_t kInt8MaxDepth = 133144;

// Depth rounded up to a pair: the row length of quantised activations.
inline std::int64_t int8_padded_depth(std::int64_t depth) { return (depth + 1) / 2 * 2; }

// Bytes that pack_int8 writes.
std::int64_t int8_packed_size(std::int64_t depth, std::int64_t columns);

// Packs B, element (k, j) at source[k * depth_stride + j * column_stride], into panels of 16
// columns with depth in pairs: pair p of column j is at (j / 16) * 16 * padded_depth + p * 32 + (j
// % 16) * 2. Missing columns and a missing last element of depth become 0.
void pack_int8(const std::int8_t* source, std::int64_t depth_stride, std::int64_t column_stride,
               std::int64_t depth, std::int64_t columns, std::int8_t* packed);

// Row-wise absmax quantisation: scale[i] = max_k |x[i, k] · column_scale[k]| / 127 and
// q[i, k] = round(x[i, k] · column_scale[k] / scale[i]), ties to even; a row of zeros has scale 0.
//
// x is fp32 [rows, depth]; column_scale [depth], null = 1; q is int16 [rows,
// int8_padded_depth(depth)] (values fit int8; the wider type is what the matmul multiplies); scale
// [rows]. A row with a value that is not finite has the scale NaN, and so its products are NaN.
void quantize_rows(const Queue& queue, std::int64_t rows, std::int64_t depth, const float* x,
                   const float* column_scale, std::int16_t* q, float* scale);

// The same for weights kept as int8 [rows, depth], without padding or column scale.
void quantize_weight_rows(std::int64_t rows, std::int64_t depth, const float* x, std::int8_t* q,
                          float* scale);

struct Int8Shape {
  std::int64_t rows = 0;
  std::int64_t depth = 0;
  std::int64_t columns = 0;
};

// C[i, j] (+)= a_scale[i] · b_scale[j] · Σ_k A[i, k] B[k, j], in fp32 after the exact sum.
//
// a is int16 [rows, int8_padded_depth(depth)] from quantize_rows, b is packed by pack_int8; b_scale
// [columns], null = 1; c is fp32 [rows, columns], added to where `accumulate`.
// 2 · rows · depth · columns operations on rows · depth · 2 + depth · columns bytes.
void int8_matmul(const Queue& queue, const Int8Shape& shape, const std::int16_t* a,
                 const float* a_scale, const std::int8_t* b, const float* b_scale, bool accumulate,
                 float* c);

// C = A Bᵀ with the same packed B: C[i, j] (+)= a_scale[i] · Σ_k A[i, k] B[j, k]. `shape` is that
// of this product: depth = the columns B was packed with, columns = its depth. B is turned panel by
// panel as it is used, 16 · depth bytes per thread at a time, so no second copy of it is kept.
void int8_matmul_transposed(const Queue& queue, const Int8Shape& shape, const std::int16_t* a,
                            const float* a_scale, const std::int8_t* b, bool accumulate, float* c);

}  // namespace rallrec::kernels
