// The operations that have no GPU column yet, in a build with CUDA.
#include <string>

#include "core/error.h"
#include "kernels/no_cuda.h"

namespace rallrec::kernels {

void require_cpu(const Queue& queue, const char* operation) {
  if (queue.device == Device::kCuda) {
    throw_usage(std::string(operation) + ": not there for CUDA; choose --device cpu");
  }
}

}  // namespace rallrec::kernels
