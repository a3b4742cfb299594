#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/device.h"
#include "kernels/int8_level.h"

namespace rallrec::kernels {

// The 8-bit matmul of frozen linears (w8a8): both factors are int8 values, products are summed
// exactly in int32, and one fp32 scale per row of each factor brings the result back. Exact sums
// make a row's result independent of the other rows, of the threads and of the instruction set.

// Columns of the packed factor that lie side by side.
constexpr std::int64_t kInt8PanelColumns = 16;

// Depth up to which an int32 sum of products of values in [-127, 127] cannot overflow.
constexpr std::int64_t kInt8MaxDepth = 133144;

// Depth rounded up to a pair: that of the packed factor.
inline std::int64_t int8_padded_depth(std::int64_t depth) { return (depth + 1) / 2 * 2; }

// Panels of the packed factor.
inline std::int64_t int8_panels(std::int64_t columns) {
  return (columns + kInt8PanelColumns - 1) / kInt8PanelColumns;
}

// int8 values [rows, depth] with one fp32 scale per row, in the form that a level multiplies:
// int16 up to AVX2; from VNNI on value + 128 as an unsigned byte, which is what vpdpbusd and
// tdpbusd take, in rows of whole cache lines, with readable rows up to whole tiles.
class QuantizedRows {
 public:
  // All values 0, scales unset.
  QuantizedRows(std::int64_t rows, std::int64_t depth, Int8Level level = int8_level());

  Int8Level level() const { return level_; }
  std::int64_t rows() const { return rows_; }
  std::int64_t depth() const { return depth_; }
  std::int64_t row_bytes() const { return row_bytes_; }
  std::byte* row(std::int64_t i) { return lines_.data()->bytes + i * row_bytes_; }
  const std::byte* row(std::int64_t i) const { return lines_.data()->bytes + i * row_bytes_; }
  float* scale() { return scale_.data(); }
  const float* scale() const { return scale_.data(); }

  // One value, in [-127, 127]. For tests and small jobs.
  int value(std::int64_t i, std::int64_t k) const;
  void set(std::int64_t i, std::int64_t k, int value);

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };

  Int8Level level_;
  std::int64_t rows_;
  std::int64_t depth_;
  std::int64_t row_bytes_;
  std::vector<Line> lines_;
  std::vector<float> scale_;
};

// Bytes that pack_int8 writes.
std::int64_t int8_packed_size(std::int64_t depth, std::int64_t columns);

// Packs B, element (k, j) at source[k * depth_stride + j * column_stride], into panels of 16
// columns with depth in pairs: pair p of column j is at (j / 16) * 16 * padded_depth + p * 32 + (j
// % 16) * 2. Missing columns and a missing last element of depth become 0.
void pack_int8(const std::int8_t* source, std::int64_t depth_stride, std::int64_t column_stride,
               std::int64_t depth, std::int64_t columns, std::int8_t* packed);

// The 16 columns of one packed panel as rows of padded depth: rows [16, int8_padded_depth(depth)],
// as many bytes as the panel has.
void unpack_int8_panel(const std::int8_t* panel, std::int64_t depth, std::int8_t* rows);

// What values of a row are multiplied by before they are rounded: 127 / largest; 0 for a row of
// zeros. Finite also where the row's largest magnitude is so small that the quotient is not.
inline float int8_factor(float largest) {
  return largest > 0.0F ? std::min(127.0F / largest, std::numeric_limits<float>::max()) : 0.0F;
}

// Row-wise absmax quantisation: scale[i] = max_k |x[i, k] · column_scale[k]| / 127 and
// q[i, k] = round(x[i, k] · column_scale[k] / scale[i]), ties to even; a row of zeros has scale 0.
//
// x is fp32 [rows, depth] of q; column_scale [depth], null = 1. A row with a value that is not
// finite has the scale NaN, and so its products are NaN.
void quantize_rows(const Queue& queue, const float* x, const float* column_scale, QuantizedRows& q);

// The same for weights kept as int8 [rows, depth], without padding or column scale.
void quantize_weight_rows(std::int64_t rows, std::int64_t depth, const float* x, std::int8_t* q,
                          float* scale);

struct Int8Shape {
  std::int64_t rows = 0;
  std::int64_t depth = 0;
  std::int64_t columns = 0;
};

// C[i, j] (+)= scale of a's row i · b_scale[j] · Σ_k A[i, k] B[k, j], in fp32 after the exact sum.
//
// a is [rows, depth], at whose level the product runs; b is packed by pack_int8; b_scale [columns],
// null = 1; c is fp32 [rows, columns], added to where `accumulate`. 2 · rows · depth · columns
// operations on rows · depth · 2 (from VNNI on · 1) + depth · columns bytes.
void int8_matmul(const Queue& queue, const Int8Shape& shape, const QuantizedRows& a,
                 const std::int8_t* b, const float* b_scale, bool accumulate, float* c);

// C = A Bᵀ with the same packed B: C[i, j] (+)= scale of a's row i · Σ_k A[i, k] B[j, k]. `shape`
// is that of this product: depth = the columns B was packed with, columns = its depth. B is turned
// panel by panel as it is used, 16 · depth bytes per thread at a time, so no second copy of it is
// kept.
void int8_matmul_transposed(const Queue& queue, const Int8Shape& shape, const QuantizedRows& a,
                            const std::int8_t* b, bool accumulate, float* c);

}  // namespace rallrec::kernels
