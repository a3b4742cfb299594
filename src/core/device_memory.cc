#include "core/device_memory.h"

#include <cstring>
#include <new>

#include "core/device_memory_gpu.h"

namespace rallrec {
namespace {

constexpr std::align_val_t kAlignment{64};

}  // namespace

void* allocate_memory(const Queue& queue, std::size_t bytes, const char* setting) {
  if (bytes == 0) {
    return nullptr;
  }
  return queue.device == Device::kCuda ? detail::allocate_gpu(bytes, setting)
                                       : ::operator new(bytes, kAlignment);
}

void release_memory(const Queue& queue, void* memory) noexcept {
  if (memory == nullptr) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::release_gpu(memory);
  } else {
    ::operator delete(memory, kAlignment);
  }
}

void copy_to_device(const Queue& queue, void* device, const void* host, std::size_t bytes) {
  if (bytes == 0) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::copy_to_gpu(queue, device, host, bytes);
  } else {
    std::memcpy(device, host, bytes);
  }
}

void copy_to_host(const Queue& queue, void* host, const void* device, std::size_t bytes) {
  if (bytes == 0) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::copy_from_gpu(queue, host, device, bytes);
  } else {
    std::memcpy(host, device, bytes);
  }
}

void copy_on_device(const Queue& queue, void* to, const void* from, std::size_t bytes) {
  if (bytes == 0) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::copy_on_gpu(queue, to, from, bytes);
  } else {
    std::memcpy(to, from, bytes);
  }
}

void clear_on_device(const Queue& queue, void* memory, std::size_t bytes) {
  if (bytes == 0) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::clear_gpu(queue, memory, bytes);
  } else {
    std::memset(memory, 0, bytes);
  }
}

}  // namespace rallrec
