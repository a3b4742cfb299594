// The GPUs of a build without CUDA.
#include "core/choose_gpu.h"
#include "core/error.h"

namespace rallrec {

void choose_gpu(int /*local_rank*/, int /*ranks_on_node*/) {
  throw_usage(
      "cluster.device: this build has no CUDA; build one with `cmake --preset cuda && cmake "
      "--build --preset cuda` where nvcc is installed, or use --device cpu");
}

}  // namespace rallrec
