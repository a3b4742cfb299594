// The NCCL communicator of a build without CUDA.
#include "core/error.h"
#include "core/no_cuda.h"
#include "distributed/gpu_place.h"
#include "distributed/nccl_communicator.h"
#include "distributed/profile_range.h"

namespace rallrec::distributed {

std::unique_ptr<Communicator> make_nccl_communicator(Rendezvous& /*rendezvous*/,
                                                     const NcclOptions& /*options*/) {
  throw_usage(
      "this build has no NCCL; configure with the cuda preset (cmake --preset cuda), or "
      "choose --device cpu, whose ranks talk over MPI");
}

bool has_nccl() { return false; }

std::unique_ptr<PlaceOwner> make_gpu_place(const PlaceOptions& /*options*/,
                                           Communicator& /*host*/) {
  throw_no_cuda("cluster.device = \"cuda\"");
}

void open_range(const std::string& /*name*/) {}

void close_range() {}

}  // namespace rallrec::distributed
