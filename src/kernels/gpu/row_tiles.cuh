#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/gpu/fragments.cuh"
#include "kernels/gpu/instructions.cuh"
#include "kernels/gpu/stored.cuh"
#include "kernels/gpu/warp.cuh"

// Tiles of kTile × kTile results of a product on the tensor cores, in int8 or bf16, by a block of
// 256 threads; a step takes 64 bytes of each row of the left operand. Those are the same registers
// for both types (fragments.cuh), and so is the right operand where it has the same shape. Right
// operands that are stored the other way round, [terms, outputs], are turned by ldmatrix, which
// moves 16 bits. In int8 these are two columns, of which __byte_perm makes an operand each: one of
// the even columns and one of the odd. Four neighbouring bytes of it must be terms k … k + 3, so a
// step's rows are put into shared memory in the order that turned_row gives.
namespace rallrec::kernels::gpu {

constexpr int kRowTileThreads = 256;
constexpr int kStepBytes = 64;
// Rows in shared memory lie a multiple of 64 bytes and 16 more apart: ldmatrix meets no bank twice.
constexpr int kRowPadding = 16;

struct Int8Operands {
  using Element = std::int8_t;
  using Sums = IntAccumulator;
  using Value = std::int32_t;
};

struct Bfloat16Operands {
  using Element = std::uint16_t;
  using Sums = Accumulator;
  using Value = float;
};

template <typename Element>
struct RowMatrix {
  const Element* values;
  std::int64_t rows;
  std::int64_t width;
};

// Which row of 32 is put into row `slot`: the rows 8m + 2t and 8m + 2t + 1 that thread t of four
// gets of ldmatrix's matrix m become terms 4t + 2 (m % 2) and the next, 16 further from m = 2 on.
__device__ inline int turned_row(int slot) {
  return slot / 32 * 32 + slot / 16 % 2 * 16 + slot % 8 / 2 * 4 + slot / 8 % 2 * 2 + slot % 2;
}

// 16 bytes, of which the first `count` elements are read and the rest are 0. A `from` that is
// aligned to 16 is copied asynchronously.
template <bool kAligned, typename Element>
__device__ void stage_piece(unsigned char* to, const Element* from, int count) {
  constexpr int kElements = kPerLoad<Element>;
  if constexpr (kAligned) {
    copy_async_16(to, from, count * static_cast<int>(sizeof(Element)));
  } else {
    StoredVector<Element, kElements> piece;
#pragma unroll
    for (int i = 0; i < kElements; ++i) {
      piece.v[i] = i < count ? from[i] : Element{0};
    }
    *reinterpret_cast<StoredVector<Element, kElements>*>(to) = piece;
  }
}

// kRows rows from `row` on, kBytes bytes of each from `column` on; 0 beyond the matrix.
template <int kRows, int kBytes, bool kAligned, bool kTurned, typename Element>
__device__ void stage_rows(unsigned char* to, const RowMatrix<Element>& matrix, std::int64_t row,
                           std::int64_t column) {
  constexpr int kPieces = kBytes / 16;
  constexpr int kElements = kPerLoad<Element>;
#pragma unroll
  for (int first = 0; first < kRows * kPieces; first += kRowTileThreads) {
    const int i = first + static_cast<int>(threadIdx.x);
    const int slot = i / kPieces;
    const std::int64_t r = row + (kTurned ? turned_row(slot) : slot);
    const std::int64_t c = column + i % kPieces * kElements;
    const std::int64_t left = r < matrix.rows ? matrix.width - c : 0;
    const int count = static_cast<int>(min(max(left, std::int64_t{0}), std::int64_t{kElements}));
    const Element* from = count > 0 ? matrix.values + r * matrix.width + c : matrix.values;
    stage_piece<kAligned>(to + slot * (kBytes + kRowPadding) + i % kPieces * 16, from, count);
  }
}

// kTransposed: the right operand is [terms, outputs], else [outputs, terms]. The eight warps stand
// as 2 × 4.
template <typename Operands, int kTile, bool kTransposed>
class RowTiles {
 public:
  using Element = typename Operands::Element;
  static constexpr int kTerms = kStepBytes / static_cast<int>(sizeof(Element));  // of a step
  static constexpr int kRowOperands = kTile / 2 / 16;  // of 16 rows, of a warp,
  static constexpr int kColumnPairs = kTile / 4 / 16;  // and of 2 × 8 columns
  static constexpr int kBuffer =
      kTile * (kStepBytes + kRowPadding) +
      (kTransposed ? kTerms : kTile) *
          ((kTransposed ? kTile * static_cast<int>(sizeof(Element)) : kStepBytes) + kRowPadding);
  using Sums = typename Operands::Sums[kRowOperands][2 * kColumnPairs];

  // Starts to fill a buffer with what the step from `term` on needs.
  template <bool kAligned>
  __device__ static void stage(unsigned char* buffer, const RowMatrix<Element>& left,
                               const RowMatrix<Element>& right, std::int64_t row,
                               std::int64_t output, std::int64_t term) {
    stage_rows<kTile, kStepBytes, kAligned, false>(buffer, left, row, term);
    if constexpr (kTransposed) {
      stage_rows<kTerms, kRightBytes, kAligned, kInterleaved>(buffer + kLeftBytes, right, term,
                                                              output);
    } else {
      stage_rows<kTile, kStepBytes, kAligned, false>(buffer + kLeftBytes, right, output, term);
    }
  }

  __device__ static void multiply(Sums& sums, const unsigned char* buffer) {
#pragma unroll
    for (int step = 0; step < kStepBytes / 32; ++step) {
      FragmentA left[kRowOperands];
#pragma unroll
      for (int m = 0; m < kRowOperands; ++m) {
        load_matrices(left[m].r, buffer + (first_row() + 16 * m + lane() % 16) * kLeftStride +
                                     32 * step + lane() / 16 * 16);
      }
#pragma unroll
      for (int n = 0; n < kColumnPairs; ++n) {
        FragmentB right[2];
        load_right(right, buffer + kLeftBytes, step, first_column() + 16 * n);
#pragma unroll
        for (int m = 0; m < kRowOperands; ++m) {
          multiply_add(sums[m][2 * n], left[m], right[0]);
          multiply_add(sums[m][2 * n + 1], left[m], right[1]);
        }
      }
    }
  }

  // Calls write(row, column, first, second) for all pairs of neighbouring columns of the tile that
  // this thread has.
  template <typename Write>
  __device__ static void for_each_pair(const Sums& sums, const Write& write) {
#pragma unroll
    for (int m = 0; m < kRowOperands; ++m) {
#pragma unroll
      for (int i = 0; i < 4 * kColumnPairs; ++i) {
        const int n = i / 4;
        const int upper = i % 2;  // rows g, or g + 8
        const int half = i / 2 % 2;
        const int row = first_row() + 16 * m + lane() / 4 + 8 * upper;
        const int column = first_column() + 16 * n;
        const auto& even = sums[m][2 * n].v;
        const auto& odd = sums[m][2 * n + 1].v;
        if constexpr (kInterleaved) {
          write(row, column + 4 * (lane() % 4) + 2 * half, even[2 * upper + half],
                odd[2 * upper + half]);
        } else {
          const auto& v = half == 0 ? even : odd;
          write(row, column + 8 * half + 2 * (lane() % 4), v[2 * upper], v[2 * upper + 1]);
        }
      }
    }
  }

 private:
  static constexpr bool kInterleaved = kTransposed && sizeof(Element) == 1;
  static constexpr int kLeftStride = kStepBytes + kRowPadding;
  static constexpr int kLeftBytes = kTile * kLeftStride;
  static constexpr int kRightBytes =
      kTransposed ? kTile * static_cast<int>(sizeof(Element)) : kStepBytes;
  static constexpr int kRightStride = kRightBytes + kRowPadding;

  __device__ static int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
  __device__ static int warp() { return static_cast<int>(threadIdx.x) / kWarp; }
  __device__ static int first_row() { return warp() / 4 * (kTile / 2); }
  __device__ static int first_column() { return warp() % 4 * (kTile / 4); }

  // Two operands of 8 columns each from `column` on; interleaved, of the even and the odd ones.
  __device__ static void load_right(FragmentB (&right)[2], const unsigned char* tile, int step,
                                    int column) {
    unsigned r[4];
    if constexpr (kInterleaved) {
      load_matrices_transposed(r, tile + (32 * step + lane()) * kRightStride + column);
      right[0] = {{__byte_perm(r[0], r[1], 0x6420), __byte_perm(r[2], r[3], 0x6420)}};
      right[1] = {{__byte_perm(r[0], r[1], 0x7531), __byte_perm(r[2], r[3], 0x7531)}};
      return;
    } else if constexpr (kTransposed) {
      load_matrices_transposed(
          r, tile + (16 * step + lane() % 16) * kRightStride + 2 * (column + lane() / 16 * 8));
    } else {
      load_matrices(r, tile + (column + lane() / 16 * 8 + lane() % 8) * kRightStride + 32 * step +
                           lane() / 8 % 2 * 16);
    }
    right[0] = {{r[0], r[1]}};
    right[1] = {{r[2], r[3]}};
  }
};

}  // namespace rallrec::kernels::gpu
