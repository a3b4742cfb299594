#pragma once

#include <cstdint>

namespace rallrec::kernels {

// What a call has to do at least: bytes it must read and write once each, and floating-point
// operations (a multiply-add is two). The bench divides them by the device's roof.
struct Work {
  std::int64_t bytes = 0;
  std::int64_t flops = 0;
};

}  // namespace rallrec::kernels
