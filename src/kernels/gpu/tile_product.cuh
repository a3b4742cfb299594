#pragma once

#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/gpu/fragments.cuh"
#include "kernels/gpu/instructions.cuh"
#include "kernels/gpu/stored.cuh"
#include "kernels/gpu/warp.cuh"

// Products of 64 × 64 tiles by a block of 256 threads, in fp32 on the CUDA cores or in bf16 with
// fp32 sums on the tensor cores. Both have one interface:
//
//   Element             what lies in shared memory, kStride of them from row to row
//   stage(tile, …)      rows from global memory into a tile; what is beyond them is 0
//   add_transposed      sums += A · Bᵀ   over 64 columns of both tiles
//   add                 sums += A · B    over 64 columns of A, which are rows of B
//   row(i), column(i)   which element of the 64 × 64 result this thread's sums[i] is
//
// A barrier must lie between staging and reading.
namespace rallrec::kernels::gpu {

constexpr int kTile = 64;
constexpr int kTileThreads = 256;
constexpr int kTileSums = kTile * kTile / kTileThreads;

// Rows first … first + count of a row-major matrix [any, width], fp32 or stored as bf16
// (stored.cuh); columns from `column` on.
template <typename Stored>
struct StoredSource {
  const Stored* rows;
  std::int64_t first;
  std::int64_t count;
  std::int64_t width;
};
using TileSource = StoredSource<float>;

template <typename Stored>
__device__ float source_value(const StoredSource<Stored>& source, int row, std::int64_t column) {
  const bool inside = row < source.count && column < source.width;
  return inside ? widened(source.rows[(source.first + row) * source.width + column]) : 0.0F;
}

// A thread's sums are 4 × 4 elements, 16 rows and 16 columns apart: the threads of a warp read two
// words of A and sixteen of B in different banks.
struct Fp32Product {
  using Element = float;
  static constexpr int kStride = kTile + 1;

  __device__ static int row(int i) { return static_cast<int>(threadIdx.x) / 16 + i / 4 * 16; }
  __device__ static int column(int i) { return static_cast<int>(threadIdx.x) % 16 + i % 4 * 16; }
  __device__ static Element element(float value) { return value; }

  template <typename Stored>
  __device__ static void stage(Element* tile, const StoredSource<Stored>& source,
                               std::int64_t column) {
    const int k = static_cast<int>(threadIdx.x) % kTile;
    for (int r = static_cast<int>(threadIdx.x) / kTile; r < kTile; r += kTileThreads / kTile) {
      tile[r * kStride + k] = source_value(source, r, column + k);
    }
  }

  __device__ static void add_transposed(float (&sums)[kTileSums], const Element* a,
                                        const Element* b) {
#pragma unroll 8
    for (int k = 0; k < kTile; ++k) {
      multiply(sums, a + k, [&](int j) { return b[column(j) * kStride + k]; });
    }
  }

  __device__ static void add(float (&sums)[kTileSums], const Element* a, const Element* b) {
#pragma unroll 8
    for (int k = 0; k < kTile; ++k) {
      multiply(sums, a + k, [&](int j) { return b[k * kStride + column(j)]; });
    }
  }

 private:
  template <typename Right>
  __device__ static void multiply(float (&sums)[kTileSums], const Element* a, const Right& right) {
    float b[4];
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      b[j] = right(j);
    }
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float left = a[row(4 * i) * kStride];
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        sums[4 * i + j] += left * b[j];
      }
    }
  }
};

// Eight warps of 16 rows × 32 columns each. Rows are 144 bytes apart, so that the eight rows which
// ldmatrix reads at once lie in different banks.
struct Bf16Product {
  using Element = __nv_bfloat16;
  static constexpr int kStride = kTile + 8;

  __device__ static int row(int i) { return first_row() + lane() / 4 + i % 4 / 2 * 8; }
  __device__ static int column(int i) {
    return first_column() + i / 4 * 8 + lane() % 4 * 2 + i % 2;
  }
  __device__ static Element element(float value) { return __float2bfloat16_rn(value); }

  __device__ static void stage(Element* tile, const TileSource& source, std::int64_t column) {
    const int k = lane() * 2;
    for (int r = static_cast<int>(threadIdx.x) / kWarp; r < kTile; r += kTileThreads / kWarp) {
      *reinterpret_cast<__nv_bfloat162*>(tile + r * kStride + k) = __floats2bfloat162_rn(
          source_value(source, r, column + k), source_value(source, r, column + k + 1));
    }
  }

  __device__ static void add_transposed(float (&sums)[kTileSums], const Element* a,
                                        const Element* b) {
#pragma unroll
    for (int k = 0; k < kTile; k += 16) {
      const FragmentA left = load_left(a, k);
#pragma unroll
      for (int n = 0; n < 32; n += 16) {
        unsigned right[4];
        load_matrices(right, b + (first_column() + n + lane() / 16 * 8 + lane() % 8) * kStride + k +
                                 lane() / 8 % 2 * 8);
        multiply(sums, n, left, right);
      }
    }
  }

  __device__ static void add(float (&sums)[kTileSums], const Element* a, const Element* b) {
#pragma unroll
    for (int k = 0; k < kTile; k += 16) {
      const FragmentA left = load_left(a, k);
#pragma unroll
      for (int n = 0; n < 32; n += 16) {
        unsigned right[4];
        load_matrices_transposed(
            right, b + (k + lane() % 16) * kStride + first_column() + n + lane() / 16 * 8);
        multiply(sums, n, left, right);
      }
    }
  }

 private:
  __device__ static int lane() { return static_cast<int>(threadIdx.x) % kWarp; }
  __device__ static int first_row() { return static_cast<int>(threadIdx.x) / kWarp % 4 * 16; }
  __device__ static int first_column() { return static_cast<int>(threadIdx.x) / kWarp / 4 * 32; }

  __device__ static FragmentA load_left(const Element* a, int k) {
    FragmentA left;
    load_matrices(left.r, a + (first_row() + lane() % 16) * kStride + k + lane() / 16 * 8);
    return left;
  }

  // Two neighbouring 8 columns.
  __device__ static void multiply(float (&sums)[kTileSums], int n, const FragmentA& left,
                                  const unsigned (&right)[4]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float* target = sums + (n / 8 + half) * 4;
      Accumulator d{{target[0], target[1], target[2], target[3]}};
      multiply_add(d, left, FragmentB{{right[2 * half], right[2 * half + 1]}});
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        target[i] = d.v[i];
      }
    }
  }
};

// sums = A · Bᵀ over all columns of two sources of one width. Ends with a barrier, after which the
// two tiles are free.
template <typename Product, typename Stored = float>
__device__ void multiply_rows(float (&sums)[kTileSums], const StoredSource<Stored>& a,
                              const TileSource& b, typename Product::Element* tile_a,
                              typename Product::Element* tile_b) {
#pragma unroll
  for (float& sum : sums) {
    sum = 0.0F;
  }
  for (std::int64_t column = 0; column < a.width; column += kTile) {
    Product::stage(tile_a, a, column);
    Product::stage(tile_b, b, column);
    __syncthreads();
    Product::add_transposed(sums, tile_a, tile_b);
    __syncthreads();
  }
}

}  // namespace rallrec::kernels::gpu
