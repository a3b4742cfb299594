#include <cuda_bf16.h>
#include <cuda_runtime.h>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/row_tiles.cuh"
#include "kernels/row_product_gpu.h"

namespace rallrec::kernels::detail {
namespace {

using gpu::Bfloat16Operands;
using gpu::Int8Operands;
using gpu::kRowTileThreads;
using gpu::RowMatrix;

// Steps whose operands are in shared memory or on their way there.
constexpr int kStages = 3;
constexpr int kLargeTile = 128;
constexpr int kSmallTile = 64;
// Large tiles are for products that make as many of them; with fewer, small ones fill more of the
// processors.
constexpr std::int64_t kManyTiles = 128;

const char* const kSetting = "the number of tokens in a micro-batch";

// result [left.rows, outputs] = left · right, or · rightᵀ, over `terms`.
template <typename Operands>
struct ProductTask {
  RowMatrix<typename Operands::Element> left;
  RowMatrix<typename Operands::Element> right;
  std::int64_t terms;
  std::int64_t outputs;
  bool accumulate;
  bool in_pairs;  // rows of the result may be walked two values at a time
  typename Operands::Value* result;
};

template <typename Value>
struct alignas(2 * sizeof(Value)) ValuePair {
  Value v[2];
};

template <typename Operands>
__device__ void write_pair(const ProductTask<Operands>& task, std::int64_t row, std::int64_t column,
                           typename Operands::Value first, typename Operands::Value second) {
  using Value = typename Operands::Value;
  if (row >= task.left.rows || column >= task.outputs) {
    return;
  }
  Value* to = task.result + row * task.outputs + column;
  if (task.in_pairs) {
    auto* pair = reinterpret_cast<ValuePair<Value>*>(to);
    ValuePair<Value> values{{first, second}};
    if (task.accumulate) {
      const ValuePair<Value> old = *pair;
      values = {{old.v[0] + first, old.v[1] + second}};
    }
    *pair = values;
    return;
  }
  to[0] = task.accumulate ? to[0] + first : first;
  if (column + 1 < task.outputs) {
    to[1] = task.accumulate ? to[1] + second : second;
  }
}

// Block (r, o): kTile rows, kTile outputs. While a step is multiplied the next two are on their
// way; a step's buffer is free again when all threads have come to the barrier of the step after.
// A value's sum runs over the terms in the same order whatever the tile is.
template <typename Operands, int kTile, bool kTransposed, bool kAligned>
__global__ void __launch_bounds__(kRowTileThreads, 2)
    row_product_kernel(ProductTask<Operands> task) {
  using Tiles = gpu::RowTiles<Operands, kTile, kTransposed>;
  auto* buffers = static_cast<unsigned char*>(gpu::dynamic_shared());
  const std::int64_t row = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t output = std::int64_t{blockIdx.y} * kTile;
  const auto steps = static_cast<int>((task.terms + Tiles::kTerms - 1) / Tiles::kTerms);
  const auto start = [&](int step) {
    if (step < steps) {
      Tiles::template stage<kAligned>(buffers + step % kStages * Tiles::kBuffer, task.left,
                                      task.right, row, output, std::int64_t{step} * Tiles::kTerms);
    }
    gpu::copies_commit();
  };
  for (int step = 0; step < kStages - 1; ++step) {
    start(step);
  }
  typename Tiles::Sums sums = {};
  for (int step = 0; step < steps; ++step) {
    gpu::copies_wait<kStages - 2>();
    __syncthreads();
    start(step + kStages - 1);
    Tiles::multiply(sums, buffers + step % kStages * Tiles::kBuffer);
  }
  gpu::copies_wait<0>();  // for the groups beyond the last step, which are empty
  Tiles::for_each_pair(sums, [&](int r, int c, auto first, auto second) {
    write_pair(task, row + r, output + c, first, second);
  });
}

// bf16(x) with rows filled up with zeros to `padded` columns, a multiple of 8. A thread per four.
template <int kWidth>
__global__ void __launch_bounds__(kRowTileThreads)
    round_rows_kernel(const float* x, std::int64_t rows, std::int64_t width, std::int64_t padded,
                      std::uint16_t* rounded) {
  const std::int64_t at = (std::int64_t{blockIdx.x} * kRowTileThreads + threadIdx.x) * 4;
  if (at >= rows * padded) {
    return;
  }
  const std::int64_t row = at / padded;
  const std::int64_t column = at - row * padded;
  gpu::Floats<4> values{};
#pragma unroll
  for (int i = 0; i < 4; i += kWidth) {
    if (column + i < width) {
      const auto part = gpu::load<kWidth>(x + row * width + column + i);
#pragma unroll
      for (int k = 0; k < kWidth; ++k) {
        values.v[i + k] = part.v[k];
      }
    }
  }
  struct alignas(8) Four {
    __nv_bfloat162 pairs[2];
  };
  *reinterpret_cast<Four*>(rounded + at) = {{__floats2bfloat162_rn(values.v[0], values.v[1]),
                                             __floats2bfloat162_rn(values.v[2], values.v[3])}};
}

template <typename Element>
bool in_sixteens(const RowMatrix<Element>& matrix) {
  return matrix.width % gpu::kPerLoad<Element> == 0 &&
         reinterpret_cast<std::uintptr_t>(matrix.values) % 16 == 0;
}

template <typename Operands, int kTile, bool kTransposed, bool kAligned>
void start_product(const Queue& queue, const ProductTask<Operands>& task) {
  using Tiles = gpu::RowTiles<Operands, kTile, kTransposed>;
  launch(&row_product_kernel<Operands, kTile, kTransposed, kAligned>,
         dim3(blocks_for(task.left.rows, kTile), blocks_for(task.outputs, kTile)),
         dim3(kRowTileThreads), kStages * Tiles::kBuffer, stream_of(queue), task);
}

template <bool kTransposed, typename Operands>
void run_product(const Queue& queue, ProductTask<Operands> task) {
  const std::int64_t large_tiles =
      std::int64_t{blocks_for(task.left.rows, kLargeTile)} * blocks_for(task.outputs, kLargeTile);
  task.in_pairs = task.outputs % 2 == 0 && reinterpret_cast<std::uintptr_t>(task.result) %
                                                   sizeof(ValuePair<typename Operands::Value>) ==
                                               0;
  if (!in_sixteens(task.left) || !in_sixteens(task.right)) {
    start_product<Operands, kSmallTile, kTransposed, false>(queue, task);
  } else if (large_tiles < kManyTiles) {
    start_product<Operands, kSmallTile, kTransposed, true>(queue, task);
  } else {
    start_product<Operands, kLargeTile, kTransposed, true>(queue, task);
  }
}

// x [rows, terms] times w.
template <bool kTransposed>
void run_rounded(const Queue& queue, std::int64_t rows, std::int64_t terms, const float* x,
                 const RowMatrix<std::uint16_t>& w, std::int64_t outputs, bool accumulate,
                 float* y) {
  const cudaStream_t stream = stream_of(queue);
  const std::int64_t padded = (terms + 7) / 8 * 8;
  // At least one, so that there is an address.
  const CudaScratch<std::uint16_t> rounded(stream, rows * padded + 1, kSetting);
  launch(gpu::in_fours(terms, x) ? &round_rows_kernel<4> : &round_rows_kernel<1>,
         dim3(blocks_for(rows * padded, 4 * kRowTileThreads)), dim3(kRowTileThreads), 0, stream, x,
         rows, terms, padded, rounded.get());
  run_product<kTransposed>(
      queue, ProductTask<Bfloat16Operands>{
                 {rounded.get(), rows, padded}, w, terms, outputs, accumulate, false, y});
}

}  // namespace

void int8_product_gpu(const Queue& queue, const ProductShape& s, const std::int8_t* a,
                      const std::int8_t* w, std::int32_t* sums) {
  run_product<false>(
      queue,
      ProductTask<Int8Operands>{
          {a, s.rows, s.depth}, {w, s.columns, s.depth}, s.depth, s.columns, false, false, sums});
}

void int8_product_transposed_gpu(const Queue& queue, const ProductShape& s, const std::int8_t* a,
                                 const std::int8_t* w, std::int32_t* sums) {
  run_product<true>(
      queue,
      ProductTask<Int8Operands>{
          {a, s.rows, s.columns}, {w, s.columns, s.depth}, s.columns, s.depth, false, false, sums});
}

void bfloat16_product_gpu(const Queue& queue, const ProductShape& s, const float* x,
                          const std::uint16_t* w, bool accumulate, float* y) {
  run_rounded<false>(queue, s.rows, s.depth, x, {w, s.columns, s.depth}, s.columns, accumulate, y);
}

void bfloat16_product_transposed_gpu(const Queue& queue, const ProductShape& s, const float* x,
                                     const std::uint16_t* w, bool accumulate, float* y) {
  run_rounded<true>(queue, s.rows, s.columns, x, {w, s.columns, s.depth}, s.depth, accumulate, y);
}

}  // namespace rallrec::kernels::detail
