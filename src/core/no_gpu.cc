// The GPUs of a build without CUDA.
#include "core/error.h"
#include "core/usable_gpu.h"

namespace rallrec {

void require_usable_gpu() {
  throw_usage(
      "cluster.device: this build has no CUDA; build one with `cmake --preset cuda && cmake "
      "--build --preset cuda` where nvcc is installed, or use --device cpu");
}

}  // namespace rallrec
