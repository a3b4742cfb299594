#include "tests/support/device/test_device.h"

namespace rallrec::testing {

const char* gpu_column_name() { return "cuda"; }

int gpu_count() { return 0; }

std::unique_ptr<TestDevice> open_gpu_column(std::string& why) {
  why = "this build has no CUDA";
  return nullptr;
}

}  // namespace rallrec::testing
