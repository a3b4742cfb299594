#pragma once

#include <chrono>
#include <functional>

#include "core/cuda_handle.h"
#include "distributed/communicator.h"
#include "distributed/nccl_communicator.h"

namespace rallrec::distributed {

// One rank of run_nccl_ranks: a thread with a GPU of its own.
struct NcclRank {
  Communicator& host;  // the threads' own communicator, for host memory
  CudaStream compute;
  std::unique_ptr<Communicator> nccl;
};

constexpr std::chrono::milliseconds kPatient{20000};

// Runs body(rank) on `ranks` threads, each with device number rank. As run_thread_ranks, whose
// errors it rethrows.
void run_nccl_ranks(int ranks, std::chrono::milliseconds time_limit,
                    const std::function<void(NcclRank&)>& body);

// Whether there are GPUs for so many ranks; where not, the test is skipped, or fails where
// RALLREC_REQUIRE_GPU=1.
bool enough_gpus(int ranks);

}  // namespace rallrec::distributed
