#include "distributed/gpu_place.h"

#include <cstdint>
#include <cstdlib>
#include <limits>

#include "core/cuda_handle.h"
#include "distributed/joint_error.h"
#include "distributed/nccl_bootstrap.h"
#include "distributed/nccl_communicator.h"

namespace rallrec::distributed {
namespace {

std::string visible_gpus() {
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "looking for CUDA devices");
  check_cuda(count > 0 ? cudaSuccess : cudaErrorNoDevice, "looking for CUDA devices");
  std::string text = identify_gpu(0).host + "\n";
  for (int device = 0; device < count; ++device) {
    text += identify_gpu(device).uuid + "\n";
  }
  return text;
}

// Makes the GPU that is this rank's the current one.
int take_gpu(Communicator& host) {
  std::string mine;
  run_jointly(host, [&mine] { mine = visible_gpus(); });
  const int device = gpu_of_rank(all_gather_strings(host, mine), host.rank());
  run_jointly(host, [device] { require_cuda_device(device); });
  return device;
}

// What CudaScratch gives back stays with the process: by default a driver takes it away each time
// the host waits.
void keep_scratch_memory(int device) {
  cudaMemPool_t pool = nullptr;
  check_cuda(cudaDeviceGetDefaultMemPool(&pool, device), "asking for the memory pool");
  std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
  check_cuda(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &all),
             "setting the memory pool");
}

class GpuPlace : public PlaceOwner {
 public:
  GpuPlace(const PlaceOptions& options, Communicator& host) : host_(host), device_(take_gpu(host)) {
    keep_scratch_memory(device_);
    if (host.size() > 1) {
      const Meeting meeting = meeting_of(host, [](const char* name) { return std::getenv(name); });
      const auto rendezvous = make_rendezvous(options.nccl_init, host, meeting);
      nccl_ = make_nccl_communicator(*rendezvous, {stream_.queue(), device_, options.time_limit});
    }
  }

  Place place() override { return {stream_.queue(), host_, nccl_ ? *nccl_ : host_}; }

 private:
  Communicator& host_;
  int device_;
  CudaStream stream_;  // on device_, and outlives the communicator
  std::unique_ptr<Communicator> nccl_;
};

}  // namespace

std::unique_ptr<PlaceOwner> make_gpu_place(const PlaceOptions& options, Communicator& host) {
  return std::make_unique<GpuPlace>(options, host);
}

}  // namespace rallrec::distributed
