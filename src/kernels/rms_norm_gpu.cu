#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/rms_norm_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

// The threads of a block stand as rows of kPerRow threads: a warp serves a narrow row, the whole
// block a wide one. A row's second reading comes from L1, so memory sees each value once.
template <int kPerRow>
struct RowOfThreads {
  static constexpr int kRows = kThreads / kPerRow;

  __device__ static std::int64_t row() {
    return std::int64_t{blockIdx.x} * kRows + threadIdx.x / kPerRow;
  }
  __device__ static int rank() { return static_cast<int>(threadIdx.x % kPerRow); }

  __device__ static float sum(float value) {
    if constexpr (kPerRow == gpu::kWarp) {
      return gpu::warp_sum(value);
    } else {
      __shared__ float partial[kThreads / gpu::kWarp];
      return gpu::block_sum<kThreads / gpu::kWarp>(value, partial);
    }
  }
};

template <int kPerRow, int kWidth>
__global__ void __launch_bounds__(kThreads) rms_norm_kernel(std::int64_t rows, RmsNormArguments a) {
  using Threads = RowOfThreads<kPerRow>;
  const std::int64_t row = Threads::row();
  if (row >= rows) {
    return;  // a whole warp, or the whole block
  }
  const float* x = a.x + row * a.columns;
  float* y = a.y + row * a.columns;
  float squares = 0.0F;
  for (std::int64_t c = Threads::rank() * kWidth; c < a.columns; c += kPerRow * kWidth) {
    const auto values = gpu::load<kWidth>(x + c);
    for (int i = 0; i < kWidth; ++i) {
      squares += values.v[i] * values.v[i];
    }
  }
  const float mean = Threads::sum(squares) / static_cast<float>(a.columns);
  const float r = 1.0F / sqrtf(mean + a.eps);
  if (a.inverse_rms != nullptr && Threads::rank() == 0) {
    a.inverse_rms[row] = r;
  }
  for (std::int64_t c = Threads::rank() * kWidth; c < a.columns; c += kPerRow * kWidth) {
    auto values = gpu::load<kWidth>(x + c);
    const auto weight = gpu::load<kWidth>(a.weight + c);
    for (int i = 0; i < kWidth; ++i) {
      values.v[i] = weight.v[i] * (values.v[i] * r);
    }
    gpu::store(values, y + c);
  }
}

template <int kPerRow, int kWidth>
__global__ void __launch_bounds__(kThreads)
    rms_norm_backward_kernel(std::int64_t rows, RmsNormBackwardArguments a) {
  using Threads = RowOfThreads<kPerRow>;
  const std::int64_t row = Threads::row();
  if (row >= rows) {
    return;
  }
  const std::int64_t first = row * a.columns;
  const float r = a.inverse_rms[row];
  float along = 0.0F;
  for (std::int64_t c = Threads::rank() * kWidth; c < a.columns; c += kPerRow * kWidth) {
    const auto x = gpu::load<kWidth>(a.x + first + c);
    const auto dy = gpu::load<kWidth>(a.dy + first + c);
    const auto weight = gpu::load<kWidth>(a.weight + c);
    for (int i = 0; i < kWidth; ++i) {
      along += weight.v[i] * dy.v[i] * x.v[i];
    }
  }
  const float along_x = Threads::sum(along) * r * r * r / static_cast<float>(a.columns);
  for (std::int64_t c = Threads::rank() * kWidth; c < a.columns; c += kPerRow * kWidth) {
    const auto x = gpu::load<kWidth>(a.x + first + c);
    const auto dy = gpu::load<kWidth>(a.dy + first + c);
    const auto weight = gpu::load<kWidth>(a.weight + c);
    gpu::Floats<kWidth> dx{};
    if (a.residual != nullptr) {
      dx = gpu::load<kWidth>(a.residual + first + c);
    }
    for (int i = 0; i < kWidth; ++i) {
      dx.v[i] += weight.v[i] * dy.v[i] * r - x.v[i] * along_x;
    }
    gpu::store(dx, a.dx + first + c);
  }
}

// Wide rows get a block each.
constexpr std::int64_t kWide = 1024;

template <typename Arguments>
void launch_rows(const Queue& queue, std::int64_t rows, bool fours, const Arguments& arguments,
                 void (*narrow_fours)(std::int64_t, Arguments),
                 void (*narrow)(std::int64_t, Arguments),
                 void (*wide_fours)(std::int64_t, Arguments),
                 void (*wide)(std::int64_t, Arguments)) {
  const bool is_wide = arguments.columns >= kWide;
  const std::int64_t per_block = is_wide ? 1 : RowOfThreads<gpu::kWarp>::kRows;
  const auto blocks = blocks_for(rows, per_block);
  const auto kernel = is_wide ? (fours ? wide_fours : wide) : (fours ? narrow_fours : narrow);
  launch(kernel, dim3(blocks), dim3(kThreads), 0, stream_of(queue), rows, arguments);
}

}  // namespace

void rms_norm_gpu(const Queue& queue, std::int64_t rows, const RmsNormArguments& arguments) {
  const bool fours = gpu::in_fours(arguments.columns, arguments.x, arguments.weight, arguments.y);
  launch_rows(queue, rows, fours, arguments, &rms_norm_kernel<gpu::kWarp, 4>,
              &rms_norm_kernel<gpu::kWarp, 1>, &rms_norm_kernel<kThreads, 4>,
              &rms_norm_kernel<kThreads, 1>);
}

void rms_norm_backward_gpu(const Queue& queue, std::int64_t rows,
                           const RmsNormBackwardArguments& arguments) {
  const bool fours = gpu::in_fours(arguments.columns, arguments.x, arguments.weight, arguments.dy,
                                   arguments.residual, arguments.dx);
  launch_rows(queue, rows, fours, arguments, &rms_norm_backward_kernel<gpu::kWarp, 4>,
              &rms_norm_backward_kernel<gpu::kWarp, 1>, &rms_norm_backward_kernel<kThreads, 4>,
              &rms_norm_backward_kernel<kThreads, 1>);
}

}  // namespace rallrec::kernels::detail
