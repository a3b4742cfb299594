#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/gpu/instructions.cuh"
#include "kernels/gpu/parts.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/spmm_bitmap_gpu.h"

// Rows of bits times rows of x on the tensor cores. The left operand never lies in memory as
// numbers: a bit that is moved to the place 0x4000 of a bf16 is the number 2, so that two bits, 16
// apart in their word, make a register of the operand with a rotation and a mask. The rows of x are
// put into shared memory in the order that this gives:
//
//   row 2q of a half tile is column q of the word, row 2q + 1 is column q + 16       (q < 16)
namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kTile = 64;                  // columns of the matrix, and columns of x, of a tile
constexpr int kRows = kBitmapTileRows;     // rows of a block
constexpr int kWarpRows = 64;              // of these, a warp's,
constexpr int kWarpColumns = 16;           // and its columns of x
constexpr int kMatrices = kWarpRows / 16;  // operands of 16 rows
constexpr int kParts = 3;                  // bf16 numbers that make a float
constexpr int kStride = kTile + 8;         // 144 bytes: ldmatrix meets no bank twice
constexpr int kBuffer = kParts * kTile * kStride;
constexpr std::size_t kSharedBytes = 2 * kBuffer * sizeof(__nv_bfloat16);

// Tiles of columns that a block sums; more are shared among blocks. A constant, so that a row's
// bits do not depend on how many rows there are.
constexpr std::int64_t kTilesPerBlock = 16;

const char* const kSetting = "light_gcn.embedding_size";

// column_scale · x as the sum of three matrices, [kParts, rows, width], rows and width filled up
// with zeros to whole tiles.
struct SplitMatrix {
  __nv_bfloat16* values;
  std::int64_t rows;
  std::int64_t width;
};

// What a float leaves when it is rounded to bf16 is exact in fp32, and after the third time zero.
__device__ void split(float value, __nv_bfloat16 (&parts)[kParts]) {
  for (__nv_bfloat16& part : parts) {
    part = __float2bfloat16_rn(value);
    value -= __bfloat162float(part);
  }
}

// A thread per two neighbouring values.
__global__ void __launch_bounds__(kThreads)
    split_kernel(const float* x, const float* scale, std::int64_t rows, std::int64_t width,
                 SplitMatrix result) {
  const std::int64_t at = (std::int64_t{blockIdx.x} * kThreads + threadIdx.x) * 2;
  if (at >= result.rows * result.width) {
    return;
  }
  const std::int64_t row = at / result.width;
  const std::int64_t column = at - row * result.width;
  const float factor = row < rows ? scale[row] : 0.0F;
  __nv_bfloat16 parts[2][kParts];
  for (int i = 0; i < 2; ++i) {
    const bool inside = row < rows && column + i < width;
    split(inside ? factor * x[row * width + column + i] : 0.0F, parts[i]);
  }
  for (int p = 0; p < kParts; ++p) {
    *reinterpret_cast<__nv_bfloat162*>(result.values + p * result.rows * result.width + at) =
        __nv_bfloat162{parts[0][p], parts[1][p]};
  }
}

__device__ int lane() { return static_cast<int>(threadIdx.x) % gpu::kWarp; }
__device__ int warp() { return static_cast<int>(threadIdx.x) / gpu::kWarp; }
// A block's eight warps stand as 2 × 4.
__device__ int first_row() { return warp() / 4 * kWarpRows; }
__device__ int first_column() { return warp() % 4 * kWarpColumns; }

__device__ unsigned rotate_right(unsigned word, int by) {
  return word >> by | word << ((32 - by) & 31);
}

// Operand of the rows g and g + 8 of 16, g = lane / 4, and of half of a word's 32 columns: those in
// rows 16 step … 16 step + 15 of shared memory. Its ones are twos.
__device__ gpu::FragmentA operand(unsigned upper, unsigned lower, int step) {
  constexpr unsigned kTwos = 0x40004000U;
  // Bits t and t + 16 come to 14 and 30, t = lane % 4.
  const int first = 18 + lane() % 4 + 8 * step;
  return {{rotate_right(upper, first & 31) & kTwos, rotate_right(lower, first & 31) & kTwos,
           rotate_right(upper, (first + 4) & 31) & kTwos,
           rotate_right(lower, (first + 4) & 31) & kTwos}};
}

// Starts to copy rows 64 tile … 64 tile + 63 of the three parts, 64 columns from `column` on.
__device__ void stage(__nv_bfloat16* buffer, const SplitMatrix& x, std::int64_t tile,
                      std::int64_t column) {
  constexpr int kPieces = kTile / 8;  // of 16 bytes
  for (int i = static_cast<int>(threadIdx.x); i < kParts * kTile * kPieces; i += kThreads) {
    const int piece = i % kPieces;
    const int row = i / kPieces % kTile;
    const int part = i / (kPieces * kTile);
    const int from = row / 32 * 32 + row % 32 / 2 + row % 2 * 16;
    gpu::copy_async_16(
        buffer + (part * kTile + row) * kStride + piece * 8,
        x.values + (part * x.rows + tile * kTile + from) * x.width + column + piece * 8);
  }
  gpu::copies_commit();
}

using Sums = gpu::Accumulator[kMatrices][2];

// Adds the products of 32 columns, from row k of shared memory on, to a tile's sums. words: those
// columns' bits of the warp's rows, two words of 32 bits from row to row.
__device__ void add_word(Sums& tile, const unsigned* words, const __nv_bfloat16* buffer, int k) {
#pragma unroll
  for (int step = 0; step < 2; ++step) {
    unsigned right[kParts][4];
#pragma unroll
    for (int p = 0; p < kParts; ++p) {
      gpu::load_matrices_transposed(
          right[p], buffer + (p * kTile + k + 16 * step + lane() % 16) * kStride + first_column() +
                        lane() / 16 * 8);
    }
#pragma unroll
    for (int m = 0; m < kMatrices; ++m) {
      const unsigned* row = words + (16 * m + lane() / 4) * 2;
      const gpu::FragmentA left = operand(row[0], row[16], step);
#pragma unroll
      for (int n = 0; n < 2; ++n) {
#pragma unroll
        for (int p = 0; p < kParts; ++p) {
          gpu::multiply_add(tile[m][n], left,
                            gpu::FragmentB{{right[p][2 * n], right[p][2 * n + 1]}});
        }
      }
    }
  }
}

// sums += bits · buffer. A tile's sum is made by the tensor cores, whose additions may cut off
// where fp32 rounds, and is then added in fp32: cutting off does not pile up over tiles.
__device__ void add_tile(Sums& sums, const std::uint64_t* bits, const __nv_bfloat16* buffer) {
  Sums tile = {};
  const auto* words = reinterpret_cast<const unsigned*>(bits + first_row());
#pragma unroll 1
  for (int word = 0; word < 2; ++word) {
    add_word(tile, words + word, buffer, 32 * word);
  }
#pragma unroll
  for (int m = 0; m < kMatrices; ++m) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      sums[m][i / 4].v[i % 4] += tile[m][i / 4].v[i % 4];
    }
  }
}

// The first tile from `tile` on with a bit set in the block's rows, or `end`; its words go to bits
// [kRows]. All threads must call, and a barrier must lie between this and reading the words.
__device__ std::int64_t next_tile(const BitmapView& a, std::int64_t block_row, std::int64_t tile,
                                  std::int64_t end, std::uint64_t* bits) {
  const int mine = static_cast<int>(threadIdx.x);
  const std::int64_t row = block_row + mine;
  const bool inside = mine < kRows && row < a.rows;
  for (; tile < end; ++tile) {
    const std::uint64_t word = inside ? a.words[row * ((a.columns + 63) / 64) + tile] : 0;
    if (__syncthreads_or(word != 0 ? 1 : 0) != 0) {
      if (mine < kRows) {
        bits[mine] = word;
      }
      break;
    }
  }
  return tile;
}

__device__ void store_sums(const Sums& sums, std::int64_t row, std::int64_t column,
                           std::int64_t rows, std::int64_t width, float* part) {
#pragma unroll
  for (int m = 0; m < kMatrices; ++m) {
#pragma unroll
    for (int i = 0; i < 8; ++i) {
      const std::int64_t r = row + 16 * m + lane() / 4 + i % 4 / 2 * 8;
      const std::int64_t c = column + i / 4 * 8 + lane() % 4 * 2 + i % 2;
      if (r < rows && c < width) {
        part[r * width + c] = sums[m][i / 4].v[i % 4];
      }
    }
  }
}

// Block (r, c, p): 128 rows of twice B · x for 64 columns of x, over part p of the tiles. While one
// tile is multiplied the next that has a bit is on its way. partial: [parts, rows, width].
__global__ void __launch_bounds__(kThreads, 2)
    spmm_bitmap_kernel(BitmapView a, SplitMatrix x, std::int64_t width, float* partial) {
  __shared__ std::uint64_t bits[2][kRows];
  auto* buffers = static_cast<__nv_bfloat16*>(gpu::dynamic_shared());
  const std::int64_t block_row = std::int64_t{blockIdx.x} * kRows;
  const std::int64_t column = std::int64_t{blockIdx.y} * kTile;
  const std::int64_t tiles = x.rows / kTile;
  const std::int64_t end = min((std::int64_t{blockIdx.z} + 1) * kTilesPerBlock, tiles);
  Sums sums = {};
  std::int64_t tile = next_tile(a, block_row, blockIdx.z * kTilesPerBlock, end, bits[0]);
  if (tile < end) {
    stage(buffers, x, tile, column);
  }
  for (int turn = 0; tile < end; turn ^= 1) {
    const std::int64_t next = next_tile(a, block_row, tile + 1, end, bits[turn ^ 1]);
    if (next < end) {
      stage(buffers + (turn ^ 1) * kBuffer, x, next, column);
      gpu::copies_wait<1>();
    } else {
      gpu::copies_wait<0>();
    }
    __syncthreads();
    add_tile(sums, bits[turn], buffers + turn * kBuffer);
    __syncthreads();
    tile = next;
  }
  store_sums(sums, block_row + first_row(), column + first_column(), a.rows, width,
             partial + std::int64_t{blockIdx.z} * a.rows * width);
}

// y = scale · (row_scale · half the sum of the parts + addend).
__global__ void __launch_bounds__(kThreads)
    spmm_bitmap_join_kernel(const float* partial, std::int64_t parts, const float* row_scale,
                            std::int64_t count, std::int64_t width, const float* addend,
                            float scale, float* y) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= count) {
    return;
  }
  const float sum = row_scale[i / width] * (0.5F * gpu::sum_of_parts(partial, parts, count, i));
  y[i] = scale * (addend == nullptr ? sum : sum + addend[i]);
}

std::int64_t whole_tiles(std::int64_t count) { return (count + kTile - 1) / kTile; }

}  // namespace

void spmm_bitmap_gpu(const Queue& queue, const BitmapView& matrix, const float* x,
                     std::int64_t width, const float* addend, float scale, float* y) {
  const cudaStream_t stream = stream_of(queue);
  const std::int64_t tiles = whole_tiles(matrix.columns);
  const std::int64_t parts = (tiles + kTilesPerBlock - 1) / kTilesPerBlock;
  const std::int64_t count = matrix.rows * width;
  SplitMatrix split_x{nullptr, tiles * kTile, whole_tiles(width) * kTile};
  const std::int64_t split_count = split_x.rows * split_x.width;
  const CudaScratch<__nv_bfloat16> split_memory(stream, kParts * split_count + 1, kSetting);
  split_x.values = split_memory.get();
  const CudaScratch<float> partial(stream, parts * count + 1, kSetting);
  launch(&split_kernel, dim3(blocks_for(split_count, 2 * kThreads)), dim3(kThreads), 0, stream, x,
         matrix.column_scale, matrix.columns, width, split_x);
  const dim3 grid(blocks_for(matrix.rows, kRows), blocks_for(width, kTile),
                  static_cast<unsigned>(parts));
  launch(&spmm_bitmap_kernel, grid, dim3(kThreads), kSharedBytes, stream, matrix, split_x, width,
         partial.get());
  launch(&spmm_bitmap_join_kernel, dim3(blocks_for(count, kThreads)), dim3(kThreads), 0, stream,
         partial.get(), parts, matrix.row_scale, count, width, addend, scale, y);
}

}  // namespace rallrec::kernels::detail
