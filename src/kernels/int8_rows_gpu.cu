#include <cstdint>

#include "core/launch.h"
#include "kernels/gpu/bfloat16.cuh"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/instructions.cuh"
#include "kernels/gpu/stored.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/int8_rows_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 128;
constexpr float kLargestFloat = 3.402823466e+38F;
// That a processor should hold at least: without the number nvcc aims at more and spills.
constexpr int kBlocksPerProcessor = 8;
constexpr int kWarps = kThreads / gpu::kWarp;

struct QuantizeArguments {
  std::int64_t depth;
  const float* x;
  const float* column_scale;
  OutlierRule rule;
  bool has_rule;
  std::int8_t* q;
  float* scale;
  OutlierSlots outliers;
};

struct Extent {
  float largest;
  float square_sum;
  float poison;  // NaN where a value is not finite, else 0
};

__device__ inline float infinity() { return __uint_as_float(0x7F800000U); }

template <int kWidth>
__device__ gpu::Floats<kWidth> scaled(const QuantizeArguments& a, const float* x, std::int64_t k) {
  auto values = gpu::load<kWidth>(x + k);
  if (a.column_scale != nullptr) {
    const auto factors = gpu::load<kWidth>(a.column_scale + k);
    for (int i = 0; i < kWidth; ++i) {
      values.v[i] *= factors.v[i];
    }
  }
  return values;
}

// Over the row's values below `limit`, the same in every thread. A warp's partial results meet in
// shared memory; the barrier at the end lets the next call write them again.
template <int kWidth>
__device__ Extent extent_below(const QuantizeArguments& a, const float* x, float limit) {
  __shared__ Extent partial[kWarps];
  Extent mine{0.0F, 0.0F, 0.0F};
  for (std::int64_t k = threadIdx.x * kWidth; k < a.depth; k += kThreads * kWidth) {
    const auto values = scaled<kWidth>(a, x, k);
    for (int i = 0; i < kWidth; ++i) {
      const float magnitude = fabsf(values.v[i]);
      const float below = magnitude < limit ? magnitude : 0.0F;
      mine.largest = fmaxf(mine.largest, below);
      mine.square_sum += below * below;
      mine.poison += values.v[i] - values.v[i];
    }
  }
  mine = {gpu::warp_max(mine.largest), gpu::warp_sum(mine.square_sum), gpu::warp_sum(mine.poison)};
  if (threadIdx.x % gpu::kWarp == 0) {
    partial[threadIdx.x / gpu::kWarp] = mine;
  }
  __syncthreads();
  Extent all{0.0F, 0.0F, 0.0F};
  for (int warp = 0; warp < kWarps; ++warp) {
    all.largest = fmaxf(all.largest, partial[warp].largest);
    all.square_sum += partial[warp].square_sum;
    all.poison += partial[warp].poison;
  }
  __syncthreads();
  return all;
}

template <int kWidth>
__device__ float find_limit(const QuantizeArguments& a, const float* x, Extent& extent) {
  const bool by_rms = a.has_rule && a.rule.kind == OutlierRule::Kind::kTimesRms;
  float limit = a.has_rule && !by_rms ? a.rule.limit : infinity();
  extent = extent_below<kWidth>(a, x, limit);
  while (by_rms && !isnan(extent.poison)) {
    const float next = a.rule.limit * sqrtf(extent.square_sum / static_cast<float>(a.depth));
    if (next == 0.0F || extent.largest < next) {
      break;
    }
    limit = next;
    extent = extent_below<kWidth>(a, x, limit);
  }
  return limit;
}

// How many of the block's threads before this one's place have `count` in sum, and the sum of all.
__device__ inline int sum_before(int count, int& all) {
  __shared__ int partial[kWarps];
  int inclusive = count;
  const int lane = static_cast<int>(threadIdx.x % gpu::kWarp);
  for (int step = 1; step < gpu::kWarp; step *= 2) {
    const int before = __shfl_up_sync(gpu::kAllLanes, inclusive, step);
    inclusive += lane >= step ? before : 0;
  }
  if (lane == gpu::kWarp - 1) {
    partial[threadIdx.x / gpu::kWarp] = inclusive;
  }
  __syncthreads();
  int sum = inclusive - count;
  all = 0;
  for (int warp = 0; warp < kWarps; ++warp) {
    sum += warp < static_cast<int>(threadIdx.x / gpu::kWarp) ? partial[warp] : 0;
    all += partial[warp];
  }
  __syncthreads();
  return sum;
}

// Writes the outliers in the order of their columns; returns their number.
template <int kWidth>
__device__ int take_outliers(const QuantizeArguments& a, const float* x, float limit) {
  const std::int64_t slots = blockIdx.x * a.outliers.capacity;
  int taken = 0;
  for (std::int64_t first = 0; first < a.depth; first += kThreads * kWidth) {
    const std::int64_t k = first + threadIdx.x * kWidth;
    gpu::Floats<kWidth> values{};
    if (k < a.depth) {
      values = scaled<kWidth>(a, x, k);
    }
    int mine = 0;
    for (int i = 0; i < kWidth; ++i) {
      mine += fabsf(values.v[i]) >= limit ? 1 : 0;
    }
    if (__syncthreads_or(mine) == 0) {
      continue;
    }
    int all = 0;
    std::int64_t slot = taken + sum_before(mine, all);
    for (int i = 0; i < kWidth; ++i) {
      if (fabsf(values.v[i]) >= limit) {
        if (slot < a.outliers.capacity) {
          a.outliers.columns[slots + slot] = static_cast<std::int32_t>(k + i);
          a.outliers.values[slots + slot] = values.v[i];
        }
        ++slot;
      }
    }
    taken += all;
  }
  return taken;
}

// A block per row, which is read from memory once and from L1 after that.
template <int kWidth>
__global__ void __launch_bounds__(kThreads, kBlocksPerProcessor)
    int8_quantize_kernel(QuantizeArguments a) {
  const std::int64_t row = blockIdx.x;
  const float* x = a.x + row * a.depth;
  Extent extent;
  const float limit = find_limit<kWidth>(a, x, extent);
  const bool finite = !isnan(extent.poison);
  int count = 0;
  if (a.has_rule && finite && limit < infinity()) {
    count = take_outliers<kWidth>(a, x, limit);
  }
  const bool sound = finite && count <= a.outliers.capacity;
  if (threadIdx.x == 0) {
    a.scale[row] = sound ? extent.largest / 127.0F : __uint_as_float(0x7FC00000U);
    if (a.has_rule) {
      a.outliers.counts[row] = count;
    }
  }
  // As int8_factor: the quotient of a very small number is not to be infinite.
  const float inverse =
      sound && extent.largest > 0.0F ? fminf(127.0F / extent.largest, kLargestFloat) : 0.0F;
  for (std::int64_t k = threadIdx.x * kWidth; k < a.depth; k += kThreads * kWidth) {
    const auto values = scaled<kWidth>(a, x, k);
    gpu::StoredVector<std::int8_t, kWidth> bytes;
    for (int i = 0; i < kWidth; ++i) {
      const bool kept = sound && fabsf(values.v[i]) < limit;
      bytes.v[i] = static_cast<std::int8_t>(kept ? __float2int_rn(values.v[i] * inverse) : 0);
    }
    *reinterpret_cast<gpu::StoredVector<std::int8_t, kWidth>*>(a.q + row * a.depth + k) = bytes;
  }
}

constexpr int kEpilogueThreads = 256;
constexpr int kTileRows = 32;
constexpr int kTileColumns = 128;

// A block per tile of 32 rows and 128 columns. A warp has a row at a time, a lane four columns next
// to each other; bᵀ of the tile's columns lies in shared memory as [rank, 128], u of its rows as
// [32, rank].
template <int kWidth>
__global__ void __launch_bounds__(kEpilogueThreads)
    int8_epilogue_kernel(std::int64_t rows, std::int64_t columns, const std::int32_t* sums,
                         Int8Epilogue e, float* y) {
  auto* b = static_cast<float*>(gpu::dynamic_shared());
  float* u = b + e.rank * kTileColumns;
  const auto rank = static_cast<int>(e.rank);
  const std::int64_t first_row = std::int64_t{blockIdx.y} * kTileRows;
  const std::int64_t first_column = std::int64_t{blockIdx.x} * kTileColumns;
  for (int at = static_cast<int>(threadIdx.x); at < rank * kTileColumns; at += kEpilogueThreads) {
    const std::int64_t j = first_column + at / rank;
    b[at % rank * kTileColumns + at / rank] = j < columns ? e.b[j * rank + at % rank] : 0.0F;
  }
  for (int at = static_cast<int>(threadIdx.x); at < rank * kTileRows; at += kEpilogueThreads) {
    const std::int64_t i = first_row + at / rank;
    u[at] = i < rows ? e.u[i * rank + at % rank] : 0.0F;
  }
  __syncthreads();
  for (int row = static_cast<int>(threadIdx.x) / gpu::kWarp; row < kTileRows;
       row += kEpilogueThreads / gpu::kWarp) {
    const std::int64_t i = first_row + row;
    for (int piece = static_cast<int>(threadIdx.x % gpu::kWarp) * kWidth; piece < kTileColumns;
         piece += gpu::kWarp * kWidth) {
      const std::int64_t j = first_column + piece;
      if (i >= rows || j >= columns) {
        continue;
      }
      const auto sum =
          *reinterpret_cast<const gpu::StoredVector<std::int32_t, kWidth>*>(sums + i * columns + j);
      gpu::Floats<kWidth> value{};
      for (int k = 0; k < kWidth; ++k) {
        const float column_scale = e.column_scale == nullptr ? 1.0F : e.column_scale[j + k];
        value.v[k] = e.row_scale[i] * column_scale * static_cast<float>(sum.v[k]);
        value.v[k] += e.bias == nullptr ? 0.0F : e.bias[j + k];
      }
      for (int r = 0; r < rank; ++r) {
        const auto factors = gpu::load<kWidth>(b + r * kTileColumns + piece);
        for (int k = 0; k < kWidth; ++k) {
          value.v[k] += u[row * rank + r] * factors.v[k];
        }
      }
      float* to = y + i * columns + j;
      if (e.accumulate) {
        const auto old = gpu::load<kWidth>(to);
        for (int k = 0; k < kWidth; ++k) {
          value.v[k] = old.v[k] + value.v[k];
        }
      }
      gpu::store(value, to);
    }
  }
}

constexpr int kDequantizeThreads = 256;
constexpr int kEight = 8;

// A thread per kWidth values of a row: 8 bytes in and 16 out.
template <int kWidth>
__global__ void __launch_bounds__(kDequantizeThreads)
    dequantize_rows_kernel(std::int64_t rows, std::int64_t depth, const std::int8_t* q,
                           const float* scale, std::uint16_t* y) {
  const std::int64_t at = (std::int64_t{blockIdx.x} * kDequantizeThreads + threadIdx.x) * kWidth;
  if (at >= rows * depth) {
    return;
  }
  const float factor = scale[at / depth];
  const auto bytes = *reinterpret_cast<const gpu::StoredVector<std::int8_t, kWidth>*>(q + at);
  gpu::StoredVector<std::uint16_t, kWidth> values;
  for (int i = 0; i < kWidth; ++i) {
    const float value = static_cast<float>(bytes.v[i]) * factor;
    values.v[i] = static_cast<std::uint16_t>(gpu::rounded_to_bfloat16(value));
  }
  *reinterpret_cast<gpu::StoredVector<std::uint16_t, kWidth>*>(y + at) = values;
}

}  // namespace

void int8_quantize_gpu(const Queue& queue, std::int64_t rows, std::int64_t depth,
                       const Int8RowsInput& input, std::int8_t* q, float* scale,
                       const OutlierSlots& outliers) {
  const QuantizeArguments arguments{depth,
                                    input.x,
                                    input.column_scale,
                                    input.rule == nullptr ? OutlierRule{} : *input.rule,
                                    input.rule != nullptr,
                                    q,
                                    scale,
                                    outliers};
  const bool fours = gpu::in_fours(depth, input.x, input.column_scale) &&
                     reinterpret_cast<std::uintptr_t>(q) % 4 == 0;
  launch(fours ? &int8_quantize_kernel<4> : &int8_quantize_kernel<1>,
         dim3(static_cast<unsigned>(rows)), dim3(kThreads), 0, stream_of(queue), arguments);
}

void int8_epilogue_gpu(const Queue& queue, std::int64_t rows, std::int64_t columns,
                       const std::int32_t* sums, const Int8Epilogue& epilogue, float* y) {
  const dim3 blocks(blocks_for(columns, kTileColumns), blocks_for(rows, kTileRows));
  const auto shared =
      static_cast<std::size_t>(epilogue.rank) * (kTileColumns + kTileRows) * sizeof(float);
  launch(gpu::in_fours(columns, y, sums) ? &int8_epilogue_kernel<4> : &int8_epilogue_kernel<1>,
         blocks, dim3(kEpilogueThreads), shared, stream_of(queue), rows, columns, sums, epilogue,
         y);
}

void dequantize_rows_gpu(const Queue& queue, std::int64_t rows, std::int64_t depth,
                         const std::int8_t* q, const float* scale, std::uint16_t* y) {
  const bool eights = depth % kEight == 0 && reinterpret_cast<std::uintptr_t>(q) % 8 == 0 &&
                      reinterpret_cast<std::uintptr_t>(y) % 16 == 0;
  launch(eights ? &dequantize_rows_kernel<kEight> : &dequantize_rows_kernel<1>,
         dim3(blocks_for(rows * depth, kDequantizeThreads * (eights ? kEight : 1))),
         dim3(kDequantizeThreads), 0, stream_of(queue), rows, depth, q, scale, y);
}

}  // namespace rallrec::kernels::detail
