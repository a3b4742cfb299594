#pragma once

#include <memory>

#include "tests/support/device/test_device.h"

namespace rallrec::testing {

// A device behind the CUDA runtime, or behind its stand-in.
std::unique_ptr<TestDevice> make_cuda_device();

}  // namespace rallrec::testing
