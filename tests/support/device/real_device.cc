#include "core/cuda_check.h"
#include "tests/support/device/cuda_device.h"

namespace rallrec::testing {

const char* gpu_column_name() { return "cuda"; }

std::unique_ptr<TestDevice> open_gpu_column(std::string& why) {
  try {
    require_cuda_device(0);
  } catch (const Error& error) {
    why = error.what();
    return nullptr;
  }
  return make_cuda_device();
}

}  // namespace rallrec::testing
