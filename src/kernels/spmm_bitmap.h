#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "kernels/csr_view.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// The matrix diag(row_scale) · B · diag(column_scale) with B of zeros and ones, a bit per element:
// LightGCN's D^(-1/2) A D^(-1/2), or a block of it. Owned by somebody else. To look at a range of
// rows move `words` and `row_scale` and set `rows`.
struct BitmapView {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  // [rows, bitmap_words(columns)]: bit c % 64 of word c / 64 of a row, as in EdgeBitmap of
  // negative_sampling.h. Bits at and beyond `columns` are zero.
  const std::uint64_t* words = nullptr;
  const float* row_scale = nullptr;     // [rows]
  const float* column_scale = nullptr;  // [columns]
};

constexpr std::int64_t kBitmapTileRows = 128;

constexpr std::int64_t bitmap_words(std::int64_t columns) { return (columns + 63) / 64; }

// y = scale (diag(row_scale) B diag(column_scale) x + addend); x, addend, scale and y as in spmm,
// with which it shares the result but for rounding. x must be finite: a value that is not spreads
// to rows that do not name it.
//
// On a CPU a row is summed by spmm, with row_scale · column_scale for values. On a GPU B is the
// left operand of bf16 tensor-core products, which holds 0 and 1 exactly, and column_scale · x is
// cut into three bf16 parts that add up to its 24 bits: every product is exact. The 64 columns of a
// tile are summed by the tensor core, whose rounding is its own, tiles in fp32; row_scale comes
// last. The error is below 2^-19 of Σ |terms| of a row, for a tensor core that cuts off all below
// 2^-23 of its sum in each of a tile's 12 steps; one bf16 part in place of three would leave 2^-9,
// two 2^-18. The bits of a row depend on its own bits, x and `columns` alone: not on the rows
// beside it, nor on where the matrix is cut by rows.
//
// Work: 6 flops per element of non-empty tiles (128 rows by 64 columns) and per column of x; 4 ·
// rows · width · (parts + 2) bytes of results with parts = columns / 1024, rounded up, all of which
// lie in scratch memory at once.
void spmm_bitmap(const Queue& queue, const BitmapView& matrix, const float* x, std::int64_t width,
                 const float* addend, float scale, float* y);

void spmm_bitmap_cpu(const BitmapView& matrix, const float* x, std::int64_t width,
                     const float* addend, float scale, float* y);

// How full a matrix in host memory would make a bitmap.
struct BitmapFill {
  std::int64_t entries = 0;
  std::int64_t tiles = 0;  // those of kBitmapTileRows × 64 elements with any bit set
};
// From its elements alone, whose values are not read. Columns are trusted.
BitmapFill bitmap_fill(const CsrView& matrix);

// A bitmap in host memory.
struct Bitmap {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::vector<std::uint64_t> words;
  BitmapFill fill;
};

// Which elements of a matrix in host memory are there; its values are not read. Throws Error where
// an element is there twice or a column is outside.
Bitmap make_bitmap(const CsrView& matrix);

// Whether spmm_bitmap should be faster than spmm: on a GPU from 256 entries per non-empty tile on,
// 1 element in 32. By bytes from L2 the two meet at 1 in 85, by flops at 1 in 62 (docs/kernels/
// graph.md has the sums); the rest is for what tiles lose and was not measured. Never on a CPU,
// where a bit costs as much as an entry. Ranks must decide by the whole matrix, not by their rows,
// since the two paths round differently.
bool prefer_bitmap(Device device, const BitmapFill& fill);

inline Work spmm_bitmap_work(const Bitmap& bitmap, std::int64_t width) {
  const std::int64_t scales = bitmap.rows + bitmap.columns;
  return {8 * bitmap.rows * bitmap_words(bitmap.columns) +
              4 * (scales + (2 * bitmap.rows + bitmap.columns) * width),
          6 * bitmap.fill.tiles * kBitmapTileRows * 64 * width};
}

}  // namespace rallrec::kernels
