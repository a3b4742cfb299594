#include "core/usable_gpu.h"

#include <string>

#include "core/cuda_check.h"

namespace rallrec {
namespace {

constexpr const char* kOrCpu = ", or use --device cpu";

// CUDA's 13000 as "13.0".
std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// The runtime reports a missing driver and an old one alike.
void require_driver() {
  int driver = 0;
  int runtime = 0;
  check_cuda(cudaDriverGetVersion(&driver), "asking for the version of the CUDA driver");
  check_cuda(cudaRuntimeGetVersion(&runtime), "asking for the version of the CUDA runtime");
  if (driver == 0) {
    throw_usage(
        std::string("cluster.device: no CUDA driver (libcuda.so.1) is installed; install ") +
        "NVIDIA's driver" + kOrCpu);
  }
  if (driver / 1000 < runtime / 1000) {
    throw_usage("cluster.device: the driver knows CUDA " + version_text(driver) +
                ", this build needs " + version_text(runtime) + "; update the driver" + kOrCpu);
  }
}

int visible_gpus() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorNoDevice) {
    return 0;
  }
  check_cuda(error, "looking for CUDA devices");
  return count;
}

void require_code_for(int gpu) {
  int major = 0;
  int minor = 0;
  check_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, gpu),
             "asking for a GPU's architecture");
  check_cuda(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, gpu),
             "asking for a GPU's architecture");
  if (10 * major + minor < RALLREC_OLDEST_GPU) {
    throw_usage("cluster.device: GPU " + std::to_string(gpu) + " is of architecture sm_" +
                std::to_string(10 * major + minor) + ", this build has code from sm_" +
                std::to_string(RALLREC_OLDEST_GPU) +
                " on; add it to CMAKE_CUDA_ARCHITECTURES and build again" + kOrCpu);
  }
}

}  // namespace

void require_usable_gpu() {
  require_driver();
  const int gpus = visible_gpus();
  if (gpus == 0) {
    throw_usage(std::string("cluster.device: no GPU is visible; see nvidia-smi and ") +
                "CUDA_VISIBLE_DEVICES" + kOrCpu);
  }
  for (int gpu = 0; gpu < gpus; ++gpu) {
    require_code_for(gpu);
  }
}

}  // namespace rallrec
