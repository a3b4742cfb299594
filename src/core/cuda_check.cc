#include "core/cuda_check.h"

namespace rallrec {
namespace {

std::string mebibytes(std::size_t bytes) { return std::to_string(bytes >> 20) + " MiB"; }

const char* cure(cudaError_t error) {
  switch (error) {
    case cudaErrorInsufficientDriver:
      return "; the driver is older than the CUDA runtime of this build: update the driver";
    case cudaErrorNoDevice:
      return "; no CUDA device is visible: see nvidia-smi and CUDA_VISIBLE_DEVICES, or choose "
             "--device cpu";
    case cudaErrorNoKernelImageForDevice:
      return "; this build has no code for that GPU: add its architecture to "
             "CMAKE_CUDA_ARCHITECTURES and build again";
    case cudaErrorInvalidDevice:
      return "; there are fewer GPUs than ranks on this node: start at most one rank per GPU";
    default:
      return "";
  }
}

}  // namespace

void check_cuda(cudaError_t error, const char* what) {
  if (error != cudaSuccess) {
    throw Error(std::string(what) + ": " + cudaGetErrorString(error) + " (" +
                cudaGetErrorName(error) + ")" + cure(error));
  }
}

void check_cuda_memory(cudaError_t error, std::size_t bytes, const char* what,
                       const char* setting) {
  if (error != cudaErrorMemoryAllocation) {
    check_cuda(error, what);
    return;
  }
  cudaGetLastError();  // running out of memory leaves the device usable; forget it
  std::size_t free = 0;
  std::size_t total = 0;
  cudaMemGetInfo(&free, &total);
  throw Error(std::string(what) + ": out of GPU memory: asked for " + mebibytes(bytes) + ", " +
              mebibytes(free) + " of " + mebibytes(total) + " are free; make " + setting +
              " smaller");
}

void require_cuda_device(int device) {
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "looking for CUDA devices");
  check_cuda(device < count ? cudaSuccess : cudaErrorInvalidDevice, "choosing a CUDA device");
  check_cuda(cudaSetDevice(device), "choosing a CUDA device");
}

}  // namespace rallrec
