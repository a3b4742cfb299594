#include "kernels/no_cuda.h"

#include <string>

#include "core/error.h"

namespace rallrec::kernels {

void require_cpu(const Queue& queue, const char* operation) {
  if (queue.device == Device::kCuda) {
    throw_usage(std::string(operation) +
                ": this build has no CUDA; configure with the cuda preset, or choose --device cpu");
  }
}

}  // namespace rallrec::kernels
