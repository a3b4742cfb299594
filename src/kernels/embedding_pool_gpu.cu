#include <algorithm>

#include "core/launch.h"
#include "kernels/embedding_pool_gpu.h"
#include "kernels/gpu/instructions.cuh"
#include "kernels/gpu/stored.cuh"
#include "kernels/gpu/warp.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
// That a processor should hold at least: without the number nvcc aims at more and spills.
constexpr int kBlocksPerProcessor = 4;
constexpr int kWarps = kThreads / gpu::kWarp;
constexpr int kTileRows = 32;

// 1 / rms of a row, in every lane of the warp.
template <typename Stored, int kWidth>
__device__ float inverse_rms(const Stored* row, std::int64_t columns, float eps) {
  float squares = 0.0F;
  for (std::int64_t c = threadIdx.x % gpu::kWarp * kWidth; c < columns; c += gpu::kWarp * kWidth) {
    const auto x = gpu::load_widened<kWidth>(row + c);
    for (int i = 0; i < kWidth; ++i) {
      squares += x.v[i] * x.v[i];
    }
  }
  return 1.0F / sqrtf(gpu::warp_sum(squares) / static_cast<float>(columns) + eps);
}

// sums[c] += Σ over the tile's rows of scale[row] · x[row, c]. Each thread has its own columns,
// here and in all later passes, so the sums need no barrier.
template <typename Stored, int kWidth>
__device__ void add_tile(const Stored* x, std::int64_t columns, int rows, const float* scale,
                         double* sums) {
  for (std::int64_t c = threadIdx.x * kWidth; c < columns; c += kThreads * kWidth) {
    gpu::Floats<kWidth> tile{};
    for (int row = 0; row < rows; ++row) {
      const auto values = gpu::load_widened<kWidth>(x + row * columns + c);
      for (int i = 0; i < kWidth; ++i) {
        tile.v[i] += scale[row] * values.v[i];
      }
    }
    for (int i = 0; i < kWidth; ++i) {
      sums[c + i] += static_cast<double>(tile.v[i]);
    }
  }
}

// Turns the sums into y in place, and returns this thread's part of ‖y‖².
template <int kWidth>
__device__ double finish(const PoolArguments& a, std::int64_t rows, double* sums) {
  double squares = 0.0;
  for (std::int64_t c = threadIdx.x * kWidth; c < a.columns; c += kThreads * kWidth) {
    for (int i = 0; i < kWidth; ++i) {
      double y = sums[c + i] / static_cast<double>(rows);
      if (a.input.norm_weight != nullptr) {
        y *= static_cast<double>(a.input.norm_weight[c + i]);
      }
      sums[c + i] = y;
      squares += y * y;
    }
  }
  return squares;
}

// A block per sequence. Its rows go by in tiles of 32: where there is a norm, a warp per row finds
// 1 / rms in a first reading, and the second one, which adds the rows up, comes from L2.
template <typename Stored, int kWidth>
__global__ void __launch_bounds__(kThreads, kBlocksPerProcessor) pool_kernel(PoolArguments a) {
  __shared__ float scale[kTileRows];
  __shared__ double partial[kWarps];
  auto* sums = static_cast<double*>(gpu::dynamic_shared());
  const std::int64_t end = a.offsets[blockIdx.x + 1];
  const std::int64_t begin = a.rule.pooling == Pooling::kMean ? a.offsets[blockIdx.x]
                                                              : max(end - 1, a.offsets[blockIdx.x]);
  for (std::int64_t c = threadIdx.x * kWidth; c < a.columns; c += kThreads * kWidth) {
    for (int i = 0; i < kWidth; ++i) {
      sums[c + i] = 0.0;
    }
  }
  for (std::int64_t first = begin; first < end; first += kTileRows) {
    const auto rows = static_cast<int>(min(std::int64_t{kTileRows}, end - first));
    const auto* x = static_cast<const Stored*>(a.input.x) + first * a.columns;
    for (int row = static_cast<int>(threadIdx.x) / gpu::kWarp; row < rows; row += kWarps) {
      const float r =
          a.input.norm_weight == nullptr
              ? 1.0F
              : inverse_rms<Stored, kWidth>(x + row * a.columns, a.columns, a.input.norm_eps);
      if (threadIdx.x % gpu::kWarp == 0) {
        scale[row] = r;
      }
    }
    __syncthreads();
    add_tile<Stored, kWidth>(x, a.columns, rows, scale, sums);
    __syncthreads();
  }
  double length = 1.0;
  const double squares = gpu::block_sum<kWarps>(finish<kWidth>(a, end - begin, sums), partial);
  if (a.rule.unit_length && squares != 0.0) {
    length = sqrt(squares);
  }
  for (std::int64_t c = threadIdx.x * kWidth; c < a.columns; c += kThreads * kWidth) {
    for (int i = 0; i < kWidth; ++i) {
      a.y[blockIdx.x * a.columns + c + i] = static_cast<float>(sums[c + i] / length);
    }
  }
}

template <typename Stored>
void launch_pool(const Queue& queue, std::int64_t sequences, const PoolArguments& a) {
  constexpr int kWidth = gpu::kPerLoad<Stored>;
  const bool wide =
      a.columns % kWidth == 0 && reinterpret_cast<std::uintptr_t>(a.input.x) % 16 == 0;
  launch(wide ? &pool_kernel<Stored, kWidth> : &pool_kernel<Stored, 1>,
         dim3(static_cast<unsigned>(sequences)), dim3(kThreads),
         static_cast<std::size_t>(a.columns) * sizeof(double), stream_of(queue), a);
}

}  // namespace

void embedding_pool_gpu(const Queue& queue, std::int64_t sequences,
                        const PoolArguments& arguments) {
  if (arguments.input.type == TableType::kFloat32) {
    launch_pool<float>(queue, sequences, arguments);
  } else {
    launch_pool<std::uint16_t>(queue, sequences, arguments);
  }
}

}  // namespace rallrec::kernels::detail
