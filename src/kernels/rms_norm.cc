#include "kernels/rms_norm.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/rms_norm_cpu.h"
#include "kernels/rms_norm_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowsPerThread = 16;

}  // namespace

void rms_norm(const Queue& queue, std::int64_t rows, std::int64_t columns, float eps,
              const float* x, const float* weight, float* y, float* inverse_rms) {
  RALLREC_CHECK(columns > 0, "rms_norm: no columns");
  const detail::RmsNormArguments arguments{columns, eps, x, weight, y, inverse_rms};
  if (queue.device == Device::kCuda) {
    detail::rms_norm_gpu(queue, rows, arguments);
    return;
  }
  parallel_for(rows, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::rms_norm_cpu(arguments, begin, end);
  });
}

void rms_norm_backward(const Queue& queue, std::int64_t rows, std::int64_t columns, const float* x,
                       const float* weight, const float* inverse_rms, const float* dy,
                       const float* residual, float* dx) {
  RALLREC_CHECK(columns > 0, "rms_norm_backward: no columns");
  const detail::RmsNormBackwardArguments arguments{columns, x,        weight, inverse_rms,
                                                   dy,      residual, dx};
  if (queue.device == Device::kCuda) {
    detail::rms_norm_backward_gpu(queue, rows, arguments);
    return;
  }
  parallel_for(rows, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::rms_norm_backward_cpu(arguments, begin, end);
  });
}

}  // namespace rallrec::kernels
