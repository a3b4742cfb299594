#pragma once

#include <cstddef>
#include <memory>

#include "distributed/communicator.h"

namespace rallrec::distributed {

// The group of all MPI processes, over host memory. One communication thread of this object makes
// every MPI call, on a communicator of its own, so that data moves while the caller computes; it
// polls (a short spin, then sleeps of at most 200 us while something is under way, 10 ms while
// idle) and never makes a blocking call. Collectives run one after the other in the order they were
// started.
//
// abort() makes this rank's calls throw; the other ranks are ended by MpiRuntime::abort once this
// object has been destroyed.
//
// MPI must be initialised (MpiRuntime) and outlive the object; no other thread may call MPI while
// the object lives. Destruction of a group that was not aborted waits for the peers to arrive.
//
// Messages above `largest_message` bytes (at most INT_MAX, the same on all ranks) are sent in
// parts.
std::unique_ptr<Communicator> make_mpi_communicator(std::size_t largest_message = std::size_t{1}
                                                                                  << 30);

}  // namespace rallrec::distributed
