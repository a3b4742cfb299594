#include "core/device_memory_gpu.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <utility>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "core/pinned_pool.h"

namespace rallrec::detail {
namespace {

// Copies go through page-locked memory of this size, piece by piece: a stream keeps the order of
// such copies, and that of a copy from pageable memory is left to the driver.
constexpr std::size_t kPiece = std::size_t{16} << 20;
// Two pieces on their way each for a rank that loads and one that stores.
constexpr std::size_t kMostPinned = 4 * kPiece;

PinnedPool& pinned_pool() {
  // Never destroyed: at the end of the process the CUDA runtime may be gone before it.
  static auto& pool = *new PinnedPool(kMostPinned);
  return pool;
}

// Arrays that live: when the last is gone, so is the pinned memory.
std::atomic<std::int64_t> arrays{0};

void keep_pinned_memory_for(std::int64_t live_arrays) noexcept {
  if (live_arrays == 0) {
    pinned_pool().clear();
  }
}

// A piece of a copy to the host that is under way.
struct Arrival {
  Arrival(const Queue& queue, unsigned char* to, const unsigned char* from, std::size_t count)
      : host(to), bytes(count), staging(pinned_pool(), count, stream_of(queue)) {
    check_cuda(
        cudaMemcpyAsync(staging.get(), from, count, cudaMemcpyDeviceToHost, stream_of(queue)),
        "copying from the GPU");
    there.record(stream_of(queue));
  }
  void finish() {
    there.synchronize();
    std::memcpy(host, staging.get(), bytes);
  }

  unsigned char* host;
  std::size_t bytes;
  PinnedPool::Lease staging;
  CudaEvent there;
};

}  // namespace

std::size_t pinned_bytes() { return pinned_pool().bytes(); }

void* allocate_gpu(std::size_t bytes, const char* setting) {
  void* memory = nullptr;
  check_cuda_memory(cudaMalloc(&memory, bytes), bytes, "allocating an array on the GPU", setting);
  ++arrays;
  return memory;
}

void release_gpu(void* memory) noexcept {
  cudaFree(memory);
  keep_pinned_memory_for(--arrays);
}

void copy_to_gpu(const Queue& queue, void* device, const void* host, std::size_t bytes) {
  for (std::size_t offset = 0; offset < bytes; offset += kPiece) {
    const std::size_t count = std::min(kPiece, bytes - offset);
    const PinnedPool::Lease staging(pinned_pool(), count, stream_of(queue));
    std::memcpy(staging.get(), static_cast<const unsigned char*>(host) + offset, count);
    check_cuda(cudaMemcpyAsync(static_cast<unsigned char*>(device) + offset, staging.get(), count,
                               cudaMemcpyHostToDevice, stream_of(queue)),
               "copying to the GPU");
  }
  keep_pinned_memory_for(arrays);
}

// While a piece is copied on by the host, the next one is under way.
void copy_from_gpu(const Queue& queue, void* host, const void* device, std::size_t bytes) {
  std::unique_ptr<Arrival> last;
  for (std::size_t offset = 0; offset < bytes; offset += kPiece) {
    auto next = std::make_unique<Arrival>(queue, static_cast<unsigned char*>(host) + offset,
                                          static_cast<const unsigned char*>(device) + offset,
                                          std::min(kPiece, bytes - offset));
    if (last != nullptr) {
      last->finish();
    }
    last = std::move(next);
  }
  last->finish();
  last.reset();
  keep_pinned_memory_for(arrays);
}

void copy_on_gpu(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_of(queue)),
             "copying on the GPU");
}

void clear_gpu(const Queue& queue, void* memory, std::size_t bytes) {
  check_cuda(cudaMemsetAsync(memory, 0, bytes, stream_of(queue)), "clearing memory of the GPU");
}

}  // namespace rallrec::detail
