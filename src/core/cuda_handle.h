#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/cuda_check.h"
#include "core/device.h"

namespace rallrec {

// Owners of CUDA objects: movable, not copyable, released by the destructor, which never throws.
// The work of a stream that is released goes on; releasing a buffer waits for the device.

// Blocks of a stream of high priority go before those that wait in others.
enum class StreamPriority { kNormal, kHigh };

// A stream that does not wait for the legacy default stream.
class CudaStream {
 public:
  CudaStream() : CudaStream(StreamPriority::kNormal) {}
  explicit CudaStream(StreamPriority priority) {
    int least = 0;
    int greatest = 0;
    check_cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest), "asking for priorities");
    check_cuda(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking,
                                            priority == StreamPriority::kHigh ? greatest : least),
               "creating a stream");
  }
  ~CudaStream() { reset(); }
  CudaStream(CudaStream&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  CudaStream& operator=(CudaStream&& other) noexcept {
    std::swap(stream_, other.stream_);
    return *this;
  }

  cudaStream_t get() const { return stream_; }
  Queue queue() const { return {Device::kCuda, stream_}; }
  // Blocks the host until all that was enqueued is done.
  void synchronize() const { check_cuda(cudaStreamSynchronize(stream_), "waiting for a stream"); }

 private:
  void reset() {
    if (stream_ != nullptr) {
      cudaStreamDestroy(stream_);
    }
  }

  cudaStream_t stream_ = nullptr;
};

// A mark in a stream that other streams, or the host, can wait for.
class CudaEvent {
 public:
  CudaEvent() {
    check_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "creating an event");
  }
  ~CudaEvent() {
    if (event_ != nullptr) {
      cudaEventDestroy(event_);
    }
  }
  CudaEvent(CudaEvent&& other) noexcept : event_(std::exchange(other.event_, nullptr)) {}
  CudaEvent& operator=(CudaEvent&& other) noexcept {
    std::swap(event_, other.event_);
    return *this;
  }

  // After all that `stream` holds so far.
  void record(cudaStream_t stream) {
    check_cuda(cudaEventRecord(event_, stream), "recording an event");
  }
  // Later work of `stream` waits for the last record(); the host does not.
  void hold(cudaStream_t stream) const {
    check_cuda(cudaStreamWaitEvent(stream, event_, 0), "waiting for an event");
  }
  // Blocks the host.
  void synchronize() const { check_cuda(cudaEventSynchronize(event_), "waiting for an event"); }
  // Whether synchronize() would return at once.
  bool reached() const {
    const cudaError_t result = cudaEventQuery(event_);
    if (result != cudaErrorNotReady) {
      check_cuda(result, "asking for an event");
    }
    return result == cudaSuccess;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

// `count` values of memory that `kFree` gives back.
template <typename Value, cudaError_t (*kFree)(void*)>
class CudaMemory {
 public:
  CudaMemory() = default;
  ~CudaMemory() { kFree(values_); }
  CudaMemory(CudaMemory&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), count_(std::exchange(other.count_, 0)) {}
  CudaMemory& operator=(CudaMemory&& other) noexcept {
    std::swap(values_, other.values_);
    std::swap(count_, other.count_);
    return *this;
  }

  Value* get() const { return values_; }
  std::size_t count() const { return count_; }
  std::size_t bytes() const { return count_ * sizeof(Value); }

 protected:
  explicit CudaMemory(std::size_t count) : count_(count) {}
  void take(void* memory) { values_ = static_cast<Value*>(memory); }

 private:
  Value* values_ = nullptr;
  std::size_t count_ = 0;
};

// `count` uninitialised values on the device. `setting` is named where memory runs out.
template <typename Value>
class CudaBuffer : public CudaMemory<Value, &cudaFree> {
 public:
  CudaBuffer() = default;
  CudaBuffer(std::size_t count, const char* setting) : CudaMemory<Value, &cudaFree>(count) {
    void* memory = nullptr;
    check_cuda_memory(cudaMalloc(&memory, this->bytes()), this->bytes(),
                      "allocating a device buffer", setting);
    this->take(memory);
  }
};

// `count` uninitialised values of page-locked host memory, which the device can copy from and to
// while the host goes on.
template <typename Value>
class PinnedBuffer : public CudaMemory<Value, &cudaFreeHost> {
 public:
  PinnedBuffer() = default;
  explicit PinnedBuffer(std::size_t count) : CudaMemory<Value, &cudaFreeHost>(count) {
    void* memory = nullptr;
    check_cuda(cudaHostAlloc(&memory, this->bytes(), cudaHostAllocDefault),
               "allocating pinned memory");
    this->take(memory);
  }
};

// `count` uninitialised values on the device for the work that `stream` is given while this lives;
// taken and given back in the stream's order, so that the host never waits. `setting` is named
// where memory runs out.
template <typename Value>
class CudaScratch {
 public:
  CudaScratch(cudaStream_t stream, std::int64_t count, const char* setting) : stream_(stream) {
    const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(Value);
    void* memory = nullptr;
    check_cuda_memory(cudaMallocAsync(&memory, bytes, stream), bytes, "allocating scratch memory",
                      setting);
    values_ = static_cast<Value*>(memory);
  }
  ~CudaScratch() { cudaFreeAsync(values_, stream_); }
  CudaScratch(const CudaScratch&) = delete;
  CudaScratch& operator=(const CudaScratch&) = delete;

  Value* get() const { return values_; }

 private:
  cudaStream_t stream_;
  Value* values_ = nullptr;
};

}  // namespace rallrec
