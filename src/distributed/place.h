#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "core/device.h"
#include "distributed/communicator.h"

namespace rallrec::distributed {

// Where a rank computes, and by what it talks to the other ranks of its group. A small value that
// refers to things which outlive its users.
struct Place {
  Queue queue;
  Communicator& host;  // of host memory: losses, metrics, texts
  // Of the memory of the queue's device; the host's on the CPU. In a group of one there is nothing
  // to exchange, and it moves no device memory.
  Communicator& device;
};

inline Place cpu_place(Communicator& communicator) { return {{}, communicator, communicator}; }

// Owns what a place refers to but for the host's communicator.
class PlaceOwner {
 public:
  virtual ~PlaceOwner() = default;
  virtual Place place() = 0;
};

struct PlaceOptions {
  // cluster.device: "cpu" or "cuda".
  std::string device = "cpu";
  // cluster.nccl_init, as make_rendezvous takes it. The token is that of RALLREC_NCCL_TOKEN.
  std::string nccl_init = "mpi";
  // As NcclOptions::time_limit.
  std::chrono::milliseconds time_limit{std::chrono::minutes(10)};
};

// On the CPU there is nothing to own. With "cuda" this rank gets a GPU of its own, which becomes
// the calling thread's current device, a stream on it, and with several ranks NCCL among them.
// Ranks of one host that see the same GPUs take them in rank order; a rank that its launcher shows
// a GPU of its own takes that. Throws Error (usage) on all ranks where a host has more ranks than
// GPUs, and where the build has no CUDA; Error where there is no usable GPU or driver. Collective;
// `host` outlives the result.
std::unique_ptr<PlaceOwner> make_place(const PlaceOptions& options, Communicator& host);

}  // namespace rallrec::distributed
