// The GPU column of a build without CUDA.
#include "kernels/no_cuda.h"

#include <string>

#include "core/error.h"
#include "kernels/rms_norm_gpu.h"

namespace rallrec::kernels {
namespace {

[[noreturn]] void throw_no_cuda(const char* operation) {
  throw_usage(std::string(operation) +
              ": this build has no CUDA; configure with the cuda preset, or choose --device cpu");
}

}  // namespace

void require_cpu(const Queue& queue, const char* operation) {
  if (queue.device == Device::kCuda) {
    throw_no_cuda(operation);
  }
}

namespace detail {

void rms_norm_gpu(const Queue& /*queue*/, std::int64_t /*rows*/,
                  const RmsNormArguments& /*arguments*/) {
  throw_no_cuda("rms_norm");
}

void rms_norm_backward_gpu(const Queue& /*queue*/, std::int64_t /*rows*/,
                           const RmsNormBackwardArguments& /*arguments*/) {
  throw_no_cuda("rms_norm_backward");
}

}  // namespace detail
}  // namespace rallrec::kernels
