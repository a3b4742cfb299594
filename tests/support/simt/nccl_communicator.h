#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nccl.h"
#include "tests/support/simt/device.h"
#include "tests/support/simt/nccl_clique.h"

// What ncclComm_t points to: one rank's end of a group. Under the lock of nccl_clique.h, but for
// `launches`, which is the caller's own.
struct ncclComm {
  // An operation that a non-blocking communicator has accepted and not started.
  struct Launch {
    cudaStream_t stream;
    std::unique_ptr<rallrec::simt::Operation> operation;
  };

  std::shared_ptr<rallrec::simt::Clique> clique;
  int rank = 0;
  bool blocking = true;
  rallrec::simt::CallSite created;
  bool initialised = false;
  bool finalised = false;
  ncclResult_t error = ncclSuccess;
  std::string last_error;
  // How often the caller must still ask before what is under way gets done.
  std::uint64_t questions = 0;
  std::vector<Launch> launches;
  // The call under way is the first between some ranks: it gets no further before they come too.
  std::vector<std::shared_ptr<rallrec::simt::Exchange>> connecting;
};

namespace rallrec::simt {

// Makes ncclCommGetAsyncError of every communicator with that rank answer `error`, as when the
// network to a peer breaks.
void break_nccl_communicators(int rank, ncclResult_t error, const std::string& words);

// The communicators that nobody has destroyed or aborted, in words; empty where there are none.
// Forgets them. For the end of a test.
std::string drop_nccl_communicators();

}  // namespace rallrec::simt
