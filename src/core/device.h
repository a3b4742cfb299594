#pragma once

namespace rallrec {

enum class Device { kCpu, kCuda };

// An execution queue: a device, and the CUDA stream when there is one. `stream` is a cudaStream_t
// held as void* so that no header needs CUDA. On the CPU work is done when the call returns.
struct Queue {
  Device device = Device::kCpu;
  void* stream = nullptr;
};

}  // namespace rallrec
