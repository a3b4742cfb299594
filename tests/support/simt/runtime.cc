// The functions of include/cuda_runtime.h: calls, copies and memory.
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "cuda_runtime.h"
#include "tests/support/simt/device.h"
#include "tests/support/simt/graph.h"
#include "tests/support/simt/memory.h"
#include "tests/support/simt/report.h"

using rallrec::simt::Device;
using rallrec::simt::function_operation;
using rallrec::simt::MemoryKind;

namespace {

constexpr int kDevices = 8;
constexpr std::size_t kSharedWithoutAsking = 48 * 1024;
constexpr std::size_t kMostShared = 227 * 1024;
constexpr unsigned kMostThreads = 1024;

struct Allowances {
  std::mutex mutex;
  std::map<const void*, std::size_t> bytes;
};

Allowances& allowances() {
  static auto& shared = *new Allowances;
  return shared;
}

// Each thread has its own, as in CUDA.
thread_local int current_device = 0;

cudaError_t misuse(const std::string& text) {
  rallrec::simt::report(text);
  return cudaErrorInvalidValue;
}

cudaError_t state() {
  return rallrec::simt::first_report().empty() ? cudaSuccess : cudaErrorLaunchFailure;
}

bool on_device(const void* memory, std::size_t bytes) {
  return rallrec::simt::within(MemoryKind::kDevice, memory, bytes);
}

// Empty where the side is what `device` says it is.
std::string wrong_side(const char* side, bool device, bool asynchronous, const void* memory,
                       std::size_t bytes) {
  if (device) {
    return on_device(memory, bytes)
               ? ""
               : std::string("the ") + side + " of a copy does not lie within one device buffer";
  }
  if (asynchronous && !rallrec::simt::within(MemoryKind::kPinned, memory, bytes)) {
    return std::string("the ") + side + " of cudaMemcpyAsync is host memory that is not pinned";
  }
  return on_device(memory, 1) ? std::string("the ") + side + " of a copy is not host memory" : "";
}

cudaError_t check_copy(const void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                       bool asynchronous) {
  const bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice ||
                         (kind == cudaMemcpyDefault && on_device(to, 1));
  const bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice ||
                           (kind == cudaMemcpyDefault && on_device(from, 1));
  std::string problem = wrong_side("target", to_device, asynchronous, to, bytes);
  if (problem.empty()) {
    problem = wrong_side("source", from_device, asynchronous, from, bytes);
  }
  return problem.empty() ? state() : misuse(problem);
}

cudaError_t allocate_on_device(void** memory, std::size_t bytes) {
  *memory = bytes == 0 ? nullptr : rallrec::simt::allocate(MemoryKind::kDevice, bytes);
  return *memory == nullptr && bytes > 0 ? cudaErrorMemoryAllocation : state();
}

void refuse_while_capturing(const char* call) {
  if (rallrec::simt::this_thread_captures()) {
    rallrec::simt::report(std::string(call) + " while the thread captures a stream");
  }
}

cudaError_t enqueue(cudaStream_t stream, std::unique_ptr<rallrec::simt::Operation> operation) {
  if (!Device::instance().enqueue(stream, std::move(operation))) {
    return misuse("work for a stream that does not exist (the null stream counts as none)");
  }
  return state();
}

}  // namespace

namespace rallrec::simt {

cudaError_t allow_dynamic_shared(const void* function, int bytes) {
  if (bytes < 0 || static_cast<std::size_t>(bytes) > kMostShared) {
    return cudaErrorInvalidValue;
  }
  const std::lock_guard<std::mutex> lock(allowances().mutex);
  allowances().bytes[function] = static_cast<std::size_t>(bytes);
  return cudaSuccess;
}

cudaError_t name_of_kernel(const char** name, const void* function) {
  static std::string text;
  text = function_name(function);
  *name = text.c_str();
  return cudaSuccess;
}

cudaError_t launch_kernel(KernelCall call, cudaStream_t stream) {
  const dim3 grid = call.grid;
  const dim3 block = call.block;
  const unsigned long long threads = 1ULL * block.x * block.y * block.z;
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.x > 0x7FFFFFFFU || grid.y > 65535 ||
      grid.z > 65535 || threads == 0 || threads > kMostThreads || block.z > 64) {
    return cudaErrorInvalidConfiguration;
  }
  std::size_t allowed = kSharedWithoutAsking;
  {
    const std::lock_guard<std::mutex> lock(allowances().mutex);
    const auto found = allowances().bytes.find(call.function);
    allowed = found == allowances().bytes.end() ? allowed : std::max(allowed, found->second);
  }
  if (call.shared_bytes > allowed) {
    return cudaErrorInvalidValue;
  }
  return enqueue(stream, kernel_operation(std::move(call)));
}

}  // namespace rallrec::simt

cudaError_t cudaGetDeviceCount(int* count) {
  *count = kDevices;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= kDevices) {
    return cudaErrorInvalidDevice;
  }
  current_device = device;
  return cudaSuccess;
}

cudaError_t cudaGetDevice(int* device) {
  *device = current_device;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  *properties = {"host SIMT", 9, 0, 4, rallrec::simt::memory_state().total, {}};
  std::snprintf(properties->uuid.bytes, sizeof(properties->uuid.bytes), "simt device %d", device);
  return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
  switch (attribute) {
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = kMostShared;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = 4;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = 9;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = 0;
      break;
  }
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) { return cudaDriverGetVersion(version); }

cudaError_t cudaDeviceSynchronize() {
  refuse_while_capturing("cudaDeviceSynchronize");
  Device::instance().wait_for_all(current_device);
  return state();
}

cudaError_t cudaGetLastError() { return state(); }

cudaError_t cudaPeekAtLastError() { return state(); }

const char* cudaGetErrorName(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "cudaSuccess";
    case cudaErrorMemoryAllocation:
      return "cudaErrorMemoryAllocation";
    case cudaErrorInvalidConfiguration:
      return "cudaErrorInvalidConfiguration";
    case cudaErrorLaunchFailure:
      return "cudaErrorLaunchFailure";
    default:
      return "cudaErrorInvalidValue";
  }
}

const char* cudaGetErrorString(cudaError_t error) {
  static std::string text;
  text = rallrec::simt::first_report();
  return text.empty() ? cudaGetErrorName(error) : text.c_str();
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  refuse_while_capturing("cudaMalloc");
  return allocate_on_device(memory, bytes);
}

cudaError_t cudaMallocAsync(void** memory, std::size_t bytes, cudaStream_t stream) {
  if (!Device::instance().captures(stream)) {
    return allocate_on_device(memory, bytes);
  }
  *memory = bytes == 0 ? nullptr : Device::instance().capture_allocation(stream, bytes);
  return *memory == nullptr && bytes > 0 ? cudaErrorMemoryAllocation : state();
}

cudaError_t cudaFree(void* memory) {
  if (memory == nullptr) {
    return state();
  }
  refuse_while_capturing("cudaFree");
  Device::instance().wait_for_all(current_device);
  return rallrec::simt::release(MemoryKind::kDevice, memory)
             ? state()
             : misuse("cudaFree of an address that is not a live device buffer");
}

cudaError_t cudaFreeAsync(void* memory, cudaStream_t stream) {
  if (Device::instance().captures(stream)) {
    return Device::instance().capture_free(stream, memory)
               ? state()
               : misuse("a captured cudaFreeAsync of memory that the capture did not allocate");
  }
  return enqueue(
      stream, function_operation([memory] {
        if (!rallrec::simt::release(MemoryKind::kDevice, memory)) {
          rallrec::simt::report("cudaFreeAsync of an address that is not a live device buffer");
        }
      }));
}

cudaError_t cudaHostAlloc(void** memory, std::size_t bytes, unsigned) {
  refuse_while_capturing("cudaHostAlloc");
  *memory = bytes == 0 ? nullptr : rallrec::simt::allocate(MemoryKind::kPinned, bytes);
  return *memory == nullptr && bytes > 0 ? cudaErrorMemoryAllocation : state();
}

cudaError_t cudaFreeHost(void* memory) {
  if (memory == nullptr) {
    return state();
  }
  Device::instance().wait_for_all(current_device);
  return rallrec::simt::release(MemoryKind::kPinned, memory)
             ? state()
             : misuse("cudaFreeHost of an address that is not a live pinned buffer");
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* attributes, const void* memory) {
  const bool pinned = rallrec::simt::within(MemoryKind::kPinned, memory, 1);
  attributes->type = on_device(memory, 1) ? cudaMemoryTypeDevice
                     : pinned             ? cudaMemoryTypeHost
                                          : cudaMemoryTypeUnregistered;
  return state();
}

cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  const auto memory = rallrec::simt::memory_state();
  *free = memory.free;
  *total = memory.total;
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  refuse_while_capturing("cudaMemcpy");
  if (bytes == 0) {
    return state();
  }
  if (const cudaError_t error = check_copy(to, from, bytes, kind, false); error != cudaSuccess) {
    return error;
  }
  Device::instance().wait_for_all(current_device);
  rallrec::simt::unlock_device_memory();
  std::memcpy(to, from, bytes);
  rallrec::simt::lock_device_memory();
  return state();
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  if (bytes == 0) {
    return state();
  }
  if (const cudaError_t error = check_copy(to, from, bytes, kind, true); error != cudaSuccess) {
    return error;
  }
  return enqueue(stream, function_operation([=] { std::memcpy(to, from, bytes); }));
}

cudaError_t cudaMemset(void* memory, int value, std::size_t bytes) {
  Device::instance().wait_for_all(current_device);
  if (bytes > 0 && !on_device(memory, bytes)) {
    return misuse("cudaMemset of memory that does not lie within one device buffer");
  }
  rallrec::simt::unlock_device_memory();
  std::memset(memory, value, bytes);
  rallrec::simt::lock_device_memory();
  return state();
}

cudaError_t cudaMemsetAsync(void* memory, int value, std::size_t bytes, cudaStream_t stream) {
  if (bytes == 0) {
    return state();
  }
  if (!on_device(memory, bytes)) {
    return misuse("cudaMemsetAsync of memory that does not lie within one device buffer");
  }
  return enqueue(stream, function_operation([=] { std::memset(memory, value, bytes); }));
}
