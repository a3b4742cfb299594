#include "tests/distributed/nccl_ranks.h"

#include <gtest/gtest.h>

#include "distributed/thread_communicator.h"
#include "tests/support/device/test_device.h"

namespace rallrec::distributed {

void run_nccl_ranks(int ranks, std::chrono::milliseconds time_limit,
                    const std::function<void(NcclRank&)>& body) {
  run_thread_ranks(ranks, [&](Communicator& host) {
    check_cuda(cudaSetDevice(host.rank()), "choosing a rank's device");
    NcclRank rank{host, {}, nullptr};
    const std::unique_ptr<Rendezvous> rendezvous = make_rendezvous(host);
    rank.nccl =
        make_nccl_communicator(*rendezvous, {rank.compute.queue(), host.rank(), time_limit});
    body(rank);
  });
}

bool enough_gpus(int ranks) {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess && count >= ranks) {
    return true;
  }
  if (rallrec::testing::gpu_is_required() && count == 0) {
    ADD_FAILURE() << "there is no GPU";
  }
  return false;
}

}  // namespace rallrec::distributed
