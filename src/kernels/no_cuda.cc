#include "kernels/no_cuda.h"

#include <string>

#include "core/error.h"

namespace rallrec::kernels {

void throw_no_cuda(const char* operation) {
  throw_usage(std::string(operation) +
              ": this build has no CUDA; configure with the cuda preset, or choose --device cpu");
}

}  // namespace rallrec::kernels
