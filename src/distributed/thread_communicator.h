#pragma once

#include <functional>

#include "distributed/communicator.h"

namespace rallrec::distributed {

// Runs body(communicator) on `ranks` threads of this process, as ranks 0 … ranks - 1 of one group,
// and returns when all have ended. For tests: it behaves as a job of as many processes, and finds
// mistakes that would make a job hang.
//
// When a body throws, pending and later collectives of the others throw PeerLost, and the first
// error is rethrown here. A collective that does not match (another kind, type, count, operation or
// root, or a rank that ends while others still wait for it) is such an error: Error (exit code 70)
// naming both sides.
void run_thread_ranks(int ranks, const std::function<void(Communicator&)>& body);

}  // namespace rallrec::distributed
