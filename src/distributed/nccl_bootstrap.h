#pragma once

#include <nccl.h>

#include <string>
#include <vector>

#include "distributed/rendezvous.h"

namespace rallrec::distributed {

// The GPU a rank has chosen. The UUID is that of the chip (or MIG slice), whatever number
// CUDA_VISIBLE_DEVICES gives it.
struct GpuIdentity {
  std::string host;
  std::string uuid;  // "GPU-01ab…"
};
GpuIdentity identify_gpu(int device);

// Throws Error (usage) that names the ranks, the host and the cure where two ranks share a GPU,
// with which NCCL may hang. Rank r's is gpus[r].
void require_distinct_gpus(const std::vector<GpuIdentity>& gpus);

// Rank 0's new unique id on every rank, after all have seen that each has a GPU of its own.
ncclUniqueId agree_on_unique_id(Rendezvous& rendezvous, int device);

}  // namespace rallrec::distributed
