#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

#include "core/cuda_check.h"

namespace rallrec::kernels::gpu {

// `count` uninitialised values on the device for the work that `stream` is given while this lives;
// taken and given back in the stream's order, so that the host never waits. `setting` is named
// where memory runs out.
template <typename Value>
class Scratch {
 public:
  Scratch(cudaStream_t stream, std::int64_t count, const char* setting) : stream_(stream) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(Value);
    void* memory = nullptr;
    check_cuda_memory(cudaMallocAsync(&memory, bytes, stream), bytes, "allocating scratch memory",
                      setting);
    values_ = static_cast<Value*>(memory);
  }
  ~Scratch() { cudaFreeAsync(values_, stream_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  Value* get() const { return values_; }

 private:
  cudaStream_t stream_;
  Value* values_ = nullptr;
};

}  // namespace rallrec::kernels::gpu
