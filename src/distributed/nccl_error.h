#pragma once

#include <nccl.h>

#include <exception>
#include <string>

namespace rallrec::distributed {

// The error for a result of NCCL: PeerLost where the network or another rank is the cause
// (ncclRemoteError, ncclSystemError), Error (exit code 70) otherwise. The message holds rank,
// operation, NCCL's words and its last error (`comm` may be null).
std::exception_ptr nccl_error(ncclResult_t result, int rank, const std::string& operation,
                              ncclComm_t comm);

// Throws it where the result is not ncclSuccess. For calls without a communicator.
void check_nccl(ncclResult_t result, int rank, const std::string& operation);

// ": NCCL says: …" with the last error that NCCL has words for, or nothing.
std::string last_words(ncclComm_t comm);

}  // namespace rallrec::distributed
