#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/cross_layer_gpu.h"
#include "kernels/gpu/parts.cuh"
#include "kernels/gpu/warp_rows.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / gpu::kWarp;

const char* const kSetting = "baseline.batch_size";

// A warp per row. The second reading of x comes from L1.
template <int kWidth>
__global__ void __launch_bounds__(kThreads) cross_layer_kernel(CrossArguments a) {
  const std::int64_t row = gpu::warp_row<kWarps>();
  if (row >= a.shape.batch) {
    return;  // a whole warp
  }
  const int lane = gpu::lane_of_warp();
  const std::int64_t first = row * a.shape.width;
  const float along = gpu::row_dot<kWidth>(a.in.x + first, a.in.w, a.shape.width);
  if (a.dots != nullptr && lane == 0) {
    a.dots[row] = along;
  }
  for (std::int64_t c = lane * kWidth; c < a.shape.width; c += gpu::kWarp * kWidth) {
    const auto x0 = gpu::load<kWidth>(a.in.x0 + first + c);
    const auto bias = gpu::load<kWidth>(a.in.b + c);
    auto x = gpu::load<kWidth>(a.in.x + first + c);
    for (int i = 0; i < kWidth; ++i) {
      x.v[i] = x0.v[i] * along + bias.v[i] + x.v[i];
    }
    gpu::store(x, a.y + first + c);
  }
}

// A warp per row: dx0, dx, and t = <x0, dy> for the sums over the batch.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    cross_layer_backward_kernel(CrossBackwardArguments a, float* slopes) {
  const std::int64_t row = gpu::warp_row<kWarps>();
  if (row >= a.shape.batch) {
    return;
  }
  const int lane = gpu::lane_of_warp();
  const std::int64_t first = row * a.shape.width;
  const float along = a.in.dots[row];
  const float t = gpu::row_dot<kWidth>(a.in.x0 + first, a.in.dy + first, a.shape.width);
  if (lane == 0) {
    slopes[row] = t;
  }
  for (std::int64_t c = lane * kWidth; c < a.shape.width; c += gpu::kWarp * kWidth) {
    auto dy = gpu::load<kWidth>(a.in.dy + first + c);
    const auto w = gpu::load<kWidth>(a.in.w + c);
    gpu::Floats<kWidth> dx0{};
    if (a.in.residual != nullptr) {
      dx0 = gpu::load<kWidth>(a.in.residual + first + c);
    }
    for (int i = 0; i < kWidth; ++i) {
      dx0.v[i] += along * dy.v[i];
      dy.v[i] += t * w.v[i];
    }
    gpu::store(dx0, a.out.dx0 + first + c);
    gpu::store(dy, a.out.dx + first + c);
  }
}

// Block (p, f): 32 columns of part p, whose rows the eight warps take in turn. sums: [parts, 2,
// width], dw's share and db's.
__global__ void __launch_bounds__(kThreads)
    cross_layer_sums_kernel(CrossBackwardArguments a, const float* slopes, float* sums) {
  __shared__ float shares[2][kWarps][gpu::kWarp];
  const int lane = gpu::lane_of_warp();
  const int warp = static_cast<int>(threadIdx.x) / gpu::kWarp;
  const std::int64_t column = std::int64_t{blockIdx.y} * gpu::kWarp + lane;
  const std::int64_t begin = std::int64_t{blockIdx.x} * kCrossPart;
  const std::int64_t end = min(begin + kCrossPart, a.shape.batch);
  float dw = 0.0F;
  float db = 0.0F;
  if (column < a.shape.width) {
#pragma unroll 4
    for (std::int64_t row = begin + warp; row < end; row += kWarps) {
      const std::int64_t at = row * a.shape.width + column;
      dw += slopes[row] * a.in.x[at];
      db += a.in.dy[at];
    }
  }
  shares[0][warp][lane] = dw;
  shares[1][warp][lane] = db;
  __syncthreads();
  if (warp < 2 && column < a.shape.width) {
    float sum = 0.0F;
    for (int w = 0; w < kWarps; ++w) {
      sum += shares[warp][w][lane];
    }
    sums[(std::int64_t{blockIdx.x} * 2 + warp) * a.shape.width + column] = sum;
  }
}

// The parts in their order. A thread per element of dw and db.
__global__ void __launch_bounds__(kThreads)
    cross_layer_join_kernel(const float* sums, std::int64_t parts, CrossShape shape,
                            CrossGradients out) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= 2 * shape.width) {
    return;
  }
  const float sum = gpu::sum_of_parts(sums, parts, 2 * shape.width, i);
  (i < shape.width ? out.dw[i] : out.db[i - shape.width]) = sum;
}

}  // namespace

void cross_layer_gpu(const Queue& queue, const CrossArguments& a) {
  const bool fours = gpu::in_fours(a.shape.width, a.in.x0, a.in.x, a.in.w, a.in.b, a.y);
  launch(fours ? &cross_layer_kernel<4> : &cross_layer_kernel<1>,
         dim3(blocks_for(a.shape.batch, kWarps)), dim3(kThreads), 0, stream_of(queue), a);
}

void cross_layer_backward_gpu(const Queue& queue, const CrossBackwardArguments& a) {
  const cudaStream_t stream = stream_of(queue);
  const std::int64_t parts = (a.shape.batch + kCrossPart - 1) / kCrossPart;
  const CudaScratch<float> scratch(stream, a.shape.batch + parts * 2 * a.shape.width + 1, kSetting);
  float* sums = scratch.get();
  float* slopes = sums + parts * 2 * a.shape.width;
  const bool fours =
      gpu::in_fours(a.shape.width, a.in.x0, a.in.w, a.in.dy, a.in.residual, a.out.dx0, a.out.dx);
  launch(fours ? &cross_layer_backward_kernel<4> : &cross_layer_backward_kernel<1>,
         dim3(blocks_for(a.shape.batch, kWarps)), dim3(kThreads), 0, stream, a, slopes);
  launch(&cross_layer_sums_kernel,
         dim3(static_cast<unsigned>(parts), blocks_for(a.shape.width, gpu::kWarp)), dim3(kThreads),
         0, stream, a, slopes, sums);
  launch(&cross_layer_join_kernel, dim3(blocks_for(2 * a.shape.width, kThreads)), dim3(kThreads), 0,
         stream, sums, parts, a.shape, a.out);
}

}  // namespace rallrec::kernels::detail
