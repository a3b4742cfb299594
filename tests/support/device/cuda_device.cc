#include "tests/support/device/cuda_device.h"

#include "core/cuda_check.h"
#include "core/cuda_handle.h"

namespace rallrec::testing {
namespace {

class CudaDevice : public TestDevice {
 public:
  Queue queue() const override { return stream_.queue(); }

  void* allocate(std::size_t bytes) override {
    void* memory = nullptr;
    check_cuda(cudaMalloc(&memory, bytes), "allocating for a test");
    if (bytes > 0) {
      check_cuda(cudaMemset(memory, 0xFF, bytes), "filling memory for a test");
    }
    return memory;
  }

  void release(void* memory) override { cudaFree(memory); }

  void upload(void* to, const void* from, std::size_t bytes) override {
    check_cuda(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copying to the device");
  }

  void download(void* to, const void* from, std::size_t bytes) override {
    stream_.synchronize();
    check_cuda(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copying from the device");
  }

 private:
  CudaStream stream_;
};

}  // namespace

int gpu_count() {
  int count = 0;
  return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}

std::unique_ptr<TestDevice> make_cuda_device() { return std::make_unique<CudaDevice>(); }

}  // namespace rallrec::testing
