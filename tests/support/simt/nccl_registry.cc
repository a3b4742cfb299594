#include "tests/support/simt/nccl_registry.h"

#include "tests/support/simt/report.h"

namespace rallrec::simt {

NcclRegistry& NcclRegistry::instance() {
  static auto& shared = *new NcclRegistry;
  return shared;
}

bool is_alive(ncclComm_t comm, const char* function) {
  if (NcclRegistry::instance().communicators.count(comm) > 0) {
    return true;
  }
  report(std::string(function) + " of a communicator that does not exist; called at " +
         describe(this_call_site()));
  return false;
}

bool is_idle(ncclComm_t comm, const char* function) {
  if (!is_alive(comm, function)) {
    return false;
  }
  const bool finalizing = comm->clique->rank(comm->rank).finalizing;
  if (comm->initialised && comm->questions == 0 && comm->launches.empty() && !finalizing) {
    return true;
  }
  report(std::string(function) + " while the communicator is " +
         (finalizing ? "being finalised" : "still busy with the call before") +
         ": ask ncclCommGetAsyncError until it is not; called at " + describe(this_call_site()));
  return false;
}

void start(std::vector<ncclComm::Launch> launches) {
  for (ncclComm::Launch& launch : launches) {
    if (!Device::instance().enqueue(launch.stream, std::move(launch.operation))) {
      report("NCCL was given a stream that does not exist");
    }
  }
}

void break_nccl_communicators(int rank, ncclResult_t error, const std::string& words) {
  const std::lock_guard<std::mutex> lock(nccl_mutex());
  for (ncclComm_t comm : NcclRegistry::instance().communicators) {
    if (comm->rank == rank) {
      comm->error = error;
      comm->last_error = words;
    }
  }
}

std::string drop_nccl_communicators() {
  std::vector<ncclComm_t> left;
  std::string alive;
  {
    const std::lock_guard<std::mutex> lock(nccl_mutex());
    NcclRegistry& all = NcclRegistry::instance();
    left.assign(all.communicators.begin(), all.communicators.end());
    all.communicators.clear();
    all.cliques.clear();
    for (const ncclComm_t comm : left) {
      alive += "the communicator of rank " + std::to_string(comm->rank) + " of " +
               std::to_string(comm->clique->size()) + " made at " + describe(comm->created) + " ";
    }
  }
  for (const ncclComm_t comm : left) {
    delete comm;
  }
  return alive;
}

}  // namespace rallrec::simt
