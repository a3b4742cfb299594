#include "distributed/nccl_error.h"

#include "core/error.h"
#include "distributed/peer_lost.h"

namespace rallrec::distributed {

std::string last_words(ncclComm_t comm) {
  const char* words = ncclGetLastError(comm);
  return words == nullptr || *words == '\0' ? "" : ": NCCL says: " + std::string(words);
}

std::exception_ptr nccl_error(ncclResult_t result, int rank, const std::string& operation,
                              ncclComm_t comm) {
  const std::string message = "rank " + std::to_string(rank) + ": " + operation + ": " +
                              ncclGetErrorString(result) + last_words(comm);
  if (result == ncclRemoteError || result == ncclSystemError) {
    return std::make_exception_ptr(PeerLost(message));
  }
  return std::make_exception_ptr(Error(message + "; NCCL_DEBUG=INFO prints more"));
}

void check_nccl(ncclResult_t result, int rank, const std::string& operation) {
  if (result != ncclSuccess) {
    std::rethrow_exception(nccl_error(result, rank, operation, nullptr));
  }
}

}  // namespace rallrec::distributed
