#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/device_memory.h"

namespace rallrec {

// Owns values in the memory of a queue's device: the GPU's, or the host's for a CPU queue, so that
// code above kernels is the same for both. Movable, not copyable. Work on the values is in the
// order of that queue, whose stream must outlive the array; what copies to the host blocks until it
// is done, everything else only enqueues, and what it copies from the host it has read when it
// returns. Fresh values are not initialised. Throws Error (usage) for a CUDA queue in a build
// without CUDA, Error where the GPU's memory runs out.
template <typename Value>
class DeviceArray {
  static_assert(std::is_trivially_copyable_v<Value>, "values are copied as bytes");

 public:
  // On the CPU, empty.
  DeviceArray() = default;
  // `setting` is the config key that is named where memory runs out.
  DeviceArray(const Queue& queue, const char* setting) : queue_(queue), setting_(setting) {}
  DeviceArray(const Queue& queue, const char* setting, const std::vector<Value>& values)
      : DeviceArray(queue, setting) {
    assign(values);
  }
  ~DeviceArray() { release_memory(queue_, values_); }
  DeviceArray(DeviceArray&& other) noexcept { swap(other); }
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    swap(other);
    return *this;
  }

  Value* data() { return values_; }
  const Value* data() const { return values_; }
  std::size_t size() const { return size_; }

  // Values are unspecified afterwards. Allocates, and on a GPU waits for it, only where the array
  // has never been so large.
  void resize(std::size_t count) {
    if (count > capacity_) {
      release_memory(queue_, std::exchange(values_, nullptr));
      capacity_ = 0;
      values_ = static_cast<Value*>(allocate_memory(queue_, count * sizeof(Value), setting_));
      capacity_ = count;
    }
    size_ = count;
  }

  // From and to host memory.
  void assign(const Value* host, std::size_t count) {
    resize(count);
    copy_to_device(queue_, values_, host, count * sizeof(Value));
  }
  void assign(const std::vector<Value>& host) { assign(host.data(), host.size()); }
  void copy_to(std::vector<Value>& host) const {
    host.resize(size_);
    copy_to_host(queue_, host.data(), values_, size_ * sizeof(Value));
  }
  std::vector<Value> host() const {
    std::vector<Value> values;
    copy_to(values);
    return values;
  }

  // From memory of the same device that is not this array's.
  void assign_device(const Value* device, std::size_t count) {
    resize(count);
    copy_on_device(queue_, values_, device, count * sizeof(Value));
  }
  // `count` zero bytes' worth of values.
  void assign_zeros(std::size_t count) {
    resize(count);
    clear_on_device(queue_, values_, count * sizeof(Value));
  }

  void swap(DeviceArray& other) noexcept {
    std::swap(queue_, other.queue_);
    std::swap(setting_, other.setting_);
    std::swap(values_, other.values_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
  }

 private:
  Queue queue_;
  const char* setting_ = "the model or batch";
  Value* values_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace rallrec
