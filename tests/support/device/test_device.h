#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "core/device.h"

namespace rallrec::testing {

// Where a kernel's test runs, with the memory of that place.
class TestDevice {
 public:
  virtual ~TestDevice() = default;
  virtual Queue queue() const = 0;
  virtual void* allocate(std::size_t bytes) = 0;
  virtual void release(void* memory) = 0;
  virtual void upload(void* to, const void* from, std::size_t bytes) = 0;
  // Waits for the queue first.
  virtual void download(void* to, const void* from, std::size_t bytes) = 0;
};

// "cpu", and "simt" in the host SIMT build or "cuda" in every other.
std::vector<std::string> device_names();

// The other device of device_names(). Null where it is not there; `why` then says why.
std::unique_ptr<TestDevice> open_gpu_column(std::string& why);
const char* gpu_column_name();
// GPUs, or simulated ones, of this machine.
int gpu_count();

// Values in the device's memory. Fresh memory is not zero.
template <typename Value>
class DeviceArray {
 public:
  DeviceArray(TestDevice& device, std::size_t count)
      : device_(device), count_(count), values_(device.allocate(count * sizeof(Value))) {}
  DeviceArray(TestDevice& device, const std::vector<Value>& values)
      : DeviceArray(device, values.size()) {
    device.upload(values_, values.data(), count_ * sizeof(Value));
  }
  ~DeviceArray() { device_.release(values_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  Value* get() const { return static_cast<Value*>(values_); }
  std::vector<Value> host() const {
    std::vector<Value> values(count_);
    device_.download(values.data(), values_, count_ * sizeof(Value));
    return values;
  }

 private:
  TestDevice& device_;
  std::size_t count_;
  void* values_;
};

// A test of one kernel on one device: the parameter is (device name, Shape). Without the device it
// is skipped, or fails where RALLREC_REQUIRE_GPU=1.
template <typename Shape>
class DeviceTest : public ::testing::TestWithParam<std::tuple<std::string, Shape>> {
 protected:
  void SetUp() override;
  const Shape& shape() const { return std::get<1>(this->GetParam()); }
  TestDevice& device() { return *device_; }
  Queue queue() const { return device_->queue(); }

  template <typename Value>
  DeviceArray<Value> on_device(const std::vector<Value>& values) {
    return DeviceArray<Value>(*device_, values);
  }
  template <typename Value>
  DeviceArray<Value> empty(std::int64_t count) {
    return DeviceArray<Value>(*device_, static_cast<std::size_t>(count));
  }

 private:
  std::unique_ptr<TestDevice> device_;
};

std::unique_ptr<TestDevice> open_device(const std::string& name, std::string& why);
bool gpu_is_required();

template <typename Shape>
void DeviceTest<Shape>::SetUp() {
  std::string why;
  device_ = open_device(std::get<0>(this->GetParam()), why);
  if (device_ == nullptr && gpu_is_required()) {
    FAIL() << why;
  } else if (device_ == nullptr) {
    GTEST_SKIP() << why;
  }
}

// For INSTANTIATE_TEST_SUITE_P: every shape on every device, and names such as cpu_0, simt_0.
template <typename... Shapes>
auto on_every_device(const Shapes&... shapes) {
  return ::testing::Combine(::testing::ValuesIn(device_names()), ::testing::Values(shapes...));
}

template <typename Parameter>
std::string device_and_number(const ::testing::TestParamInfo<Parameter>& info) {
  return std::get<0>(info.param) + "_" + std::to_string(info.index);
}

}  // namespace rallrec::testing
