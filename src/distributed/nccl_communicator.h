#pragma once

#include <chrono>
#include <memory>

#include "core/device.h"
#include "distributed/communicator.h"
#include "distributed/rendezvous.h"

namespace rallrec::distributed {

struct NcclOptions {
  // The queue that computes: a CUDA stream of the GPU `device`. Outlives the communicator.
  Queue compute;
  int device = 0;
  // How long a collective that could run may take, and joining or leaving the group, before the
  // communicator is aborted. Longer than the longest time one rank may be busy alone.
  std::chrono::milliseconds time_limit{std::chrono::minutes(10)};
};

// The ranks of `rendezvous`, each with a GPU of its own, over NCCL. Collective; blocks the host
// until all ranks have joined. Throws Error (usage) where two ranks have the same GPU or the build
// has no CUDA, PeerLost where a rank does not come within the time limit.
//
// What differs from the other communicators:
// - Pointers are device memory. Host memory is refused by Error (exit code 70).
// - Collectives run on a stream of the communicator's own. Each starts after all that
//   `options.compute` holds when it is called; later work of that queue runs beside it. So gather
//   layer l + 1 first, then enqueue the compute of layer l, then Handle::hold(compute): the gather
//   lies under the compute, and the host waits for nothing. Work of other queues on the buffers
//   must be ordered by the caller.
// - Starting a collective returns when NCCL has put it on the stream. The first ones of a kind that
//   sends between two ranks block the host until the peer calls too, while NCCL connects them.
// - Handle::wait() blocks the host; Handle::hold(queue) makes a CUDA queue wait instead.
// - Failures are found by a thread of the communicator too (errors that NCCL reports, the time
//   limit): the communicator is then aborted, every pending and later call throws, and results
//   since the last wait() are not to be used. Error has kPeerLost where another rank is the cause.
// - abort() gives up on this rank; other ranks find out by NCCL's word or the time limit.
// - Destruction waits for the peers to arrive, but not while an exception is on its way, when it
//   aborts, and not longer than the time limit.
//
// Sums of float32 and float64 are taken in rank order by a kernel of this project, so their bits
// are those of the other communicators; NCCL moves the pieces. Integers are left to NCCL, which
// reduces them exactly in any order.
//
// Calls set the calling thread's CUDA device to `options.device`.
std::unique_ptr<Communicator> make_nccl_communicator(Rendezvous& rendezvous,
                                                     const NcclOptions& options);

// Whether this build has it.
bool has_nccl();

}  // namespace rallrec::distributed
