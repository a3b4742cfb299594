#include "core/launch.h"
#include "kernels/binary_cross_entropy_gpu.h"
#include "kernels/gpu/warp.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / gpu::kWarp;

// One block for all: a call has the samples of one block of a batch, and its sum needs no second
// kernel. Double costs little beside the launch.
__global__ void __launch_bounds__(kThreads)
    binary_cross_entropy_kernel(std::int64_t count, const float* logits, const std::uint8_t* labels,
                                double divisor, float* slopes, double* loss_sum) {
  __shared__ double partial[kWarps];
  double sum = 0.0;
  for (std::int64_t i = threadIdx.x; i < count; i += kThreads) {
    const double logit = logits[i];
    const bool positive = labels[i] != 0;
    const double power = exp(-fabs(logit));
    const double small = power / (1.0 + power);  // σ(-|logit|)
    const double probability = logit >= 0.0 ? 1.0 / (1.0 + power) : small;
    const double margin = positive ? logit : -logit;
    sum += (margin < 0.0 ? -margin : 0.0) + log1p(power);
    slopes[i] = static_cast<float>((probability - (positive ? 1.0 : 0.0)) / divisor);
  }
  sum = gpu::block_sum<kWarps>(sum, partial);
  if (threadIdx.x == 0) {
    *loss_sum = sum;
  }
}

}  // namespace

void binary_cross_entropy_gpu(const Queue& queue, std::int64_t count, const float* logits,
                              const std::uint8_t* labels, double divisor, float* slopes,
                              double* loss_sum) {
  launch(&binary_cross_entropy_kernel, dim3(1), dim3(kThreads), 0, stream_of(queue), count, logits,
         labels, divisor, slopes, loss_sum);
}

}  // namespace rallrec::kernels::detail
