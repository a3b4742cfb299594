#pragma once

#include <cstdint>

namespace rallrec::kernels {

// The small fp32 matmul that other kernels stand on: one thread, no allocation, instruction set
// chosen at run time. The bits of an element of C depend on its row of A, its column of B and the
// depth alone, not on the rows and columns computed beside it.

// Columns of B that lie side by side; the unit in which B is read.
constexpr std::int64_t kPanelColumns = 16;

// A, [rows, depth], with any strides in elements: a transposed matrix is one with its strides
// swapped.
struct LeftMatrix {
  const float* data;
  std::int64_t row_stride;
  std::int64_t depth_stride;
};

// B, [depth, columns], in panels of 16 columns: element (k, j) is at
// (j / 16) * panel_stride + k * depth_stride + j % 16. All 16 columns of the last panel must be
// readable. A row-major matrix with a multiple of 16 columns is {data, 16, columns}.
struct Panels {
  const float* data;
  std::int64_t panel_stride;
  std::int64_t depth_stride;
};

// Floats that pack_panels writes for `columns` columns of `depth`.
std::int64_t packed_size(std::int64_t depth, std::int64_t columns);

// Copies B, element (k, j) at source[k * depth_stride + j * column_stride], into panels with
// panel_stride = 16 * depth and depth_stride = 16; missing columns of the last panel become 0.
Panels pack_panels(const float* source, std::int64_t depth_stride, std::int64_t column_stride,
                   std::int64_t depth, std::int64_t columns, float* packed);

// C = A B, or C += A B where `accumulate`. C is row-major, `c_stride` elements from row to row;
// only [rows, columns] of it is touched. CPU only.
void tile_matmul(const LeftMatrix& a, const Panels& b, std::int64_t rows, std::int64_t depth,
                 std::int64_t columns, bool accumulate, float* c, std::int64_t c_stride);

}  // namespace rallrec::kernels
