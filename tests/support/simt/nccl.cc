// The functions of include/nccl.h that make, watch and end communicators.
#include "nccl.h"

#include <cstdio>
#include <set>

#include "tests/support/simt/nccl_communicator.h"
#include "tests/support/simt/nccl_registry.h"
#include "tests/support/simt/report.h"

using rallrec::simt::Clique;
using rallrec::simt::Device;
using rallrec::simt::nccl_changed;
using rallrec::simt::nccl_mutex;
using rallrec::simt::NcclRegistry;

namespace {

using Lock = std::unique_lock<std::mutex>;

constexpr std::uint64_t kMostQuestions = 4;

// Draws how long what was just asked of a non-blocking communicator takes.
ncclResult_t begin(ncclComm& comm) {
  comm.questions = comm.blocking ? 0 : comm.clique->random().below(kMostQuestions);
  return comm.questions > 0 ? ncclInProgress : ncclSuccess;
}

ncclResult_t fail(ncclComm& comm, ncclResult_t error, const std::string& words) {
  comm.error = error;
  comm.last_error = words;
  return error;
}

ncclResult_t progress_of_init(ncclComm& comm) {
  if (!comm.clique->all_joined()) {
    return ncclInProgress;
  }
  const std::string shared = comm.clique->shared_device();
  if (!shared.empty()) {
    return fail(comm, ncclInvalidUsage, shared);
  }
  comm.initialised = true;
  return ncclSuccess;
}

ncclResult_t progress_of_finalize(ncclComm& comm) {
  if (comm.clique->rank(comm.rank).running > 0 || !comm.clique->all_finalizing()) {
    return ncclInProgress;
  }
  comm.finalised = true;
  return ncclSuccess;
}

// Where the communicator stands; the operations that have come due are moved to `due`.
ncclResult_t progress(ncclComm& comm, std::vector<ncclComm::Launch>& due) {
  if (comm.error != ncclSuccess) {
    return comm.error;
  }
  if (!comm.initialised) {
    if (const ncclResult_t result = progress_of_init(comm); result != ncclSuccess) {
      return result;
    }
  }
  for (const auto& exchange : comm.connecting) {
    if (!exchange->full()) {
      return ncclInProgress;
    }
  }
  comm.connecting.clear();
  if (comm.questions > 0) {
    --comm.questions;
    return ncclInProgress;
  }
  due = std::exchange(comm.launches, {});
  const bool finalizing = comm.clique->rank(comm.rank).finalizing;
  return finalizing && !comm.finalised ? progress_of_finalize(comm) : ncclSuccess;
}

void forget(ncclComm_t comm) {
  NcclRegistry::instance().communicators.erase(comm);
  delete comm;
}

}  // namespace

ncclResult_t ncclGetVersion(int* version) {
  *version = 22809;
  return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  const Lock lock(nccl_mutex());
  *id = {};
  std::snprintf(id->internal, sizeof(id->internal), "simt clique %llu",
                static_cast<unsigned long long>(++NcclRegistry::instance().ids));
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  if (ranks < 1 || rank < 0 || rank >= ranks) {
    return ncclInvalidArgument;
  }
  int device = 0;
  cudaGetDevice(&device);
  Lock lock(nccl_mutex());
  std::shared_ptr<Clique>& clique = NcclRegistry::instance().cliques[id.internal];
  clique = clique == nullptr ? std::make_shared<Clique>(ranks) : clique;
  if (clique->size() != ranks || clique->rank(rank).joined) {
    rallrec::simt::report("ncclCommInitRankConfig: rank " + std::to_string(rank) + " of " +
                          std::to_string(ranks) + " does not fit the group of that id");
    return ncclInvalidUsage;
  }
  auto* made = new ncclComm;
  made->clique = clique;
  made->rank = rank;
  made->blocking = config == nullptr || config->blocking != 0;
  made->created = rallrec::simt::this_call_site();
  clique->rank(rank).joined = true;
  clique->rank(rank).device = device;
  NcclRegistry::instance().communicators.insert(made);
  nccl_changed().notify_all();
  *comm = made;
  if (!made->blocking) {
    begin(*made);
    return ncclInProgress;
  }
  nccl_changed().wait(lock, [&] { return made->clique->all_joined(); });
  return progress_of_init(*made);
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* error) {
  std::vector<ncclComm::Launch> due;
  {
    const Lock lock(nccl_mutex());
    if (!rallrec::simt::is_alive(comm, "ncclCommGetAsyncError")) {
      return ncclInvalidArgument;
    }
    *error = progress(*comm, due);
  }
  rallrec::simt::start(std::move(due));
  return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  const Lock lock(nccl_mutex());
  if (!rallrec::simt::is_idle(comm, "ncclCommFinalize")) {
    return ncclInvalidUsage;
  }
  comm->clique->rank(comm->rank).finalizing = true;
  nccl_changed().notify_all();
  begin(*comm);
  return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  const Lock lock(nccl_mutex());
  if (!rallrec::simt::is_alive(comm, "ncclCommDestroy")) {
    return ncclInvalidArgument;
  }
  if (!comm->finalised) {
    rallrec::simt::report("ncclCommDestroy of a communicator that has not been finalised to the " +
                          std::string("end; called at ") +
                          describe(rallrec::simt::this_call_site()));
    return ncclInvalidUsage;
  }
  forget(comm);
  return ncclSuccess;
}

ncclResult_t ncclCommAbort(ncclComm_t comm) {
  std::vector<ncclComm::Launch> dropped;
  {
    const Lock lock(nccl_mutex());
    if (!rallrec::simt::is_alive(comm, "ncclCommAbort")) {
      return ncclInvalidArgument;
    }
    comm->clique->rank(comm->rank).aborted = true;
    dropped = std::exchange(comm->launches, {});
    forget(comm);
    nccl_changed().notify_all();
  }
  dropped.clear();
  Device::instance().wake();
  return ncclSuccess;
}

ncclResult_t ncclCommCount(ncclComm_t comm, int* count) {
  const Lock lock(nccl_mutex());
  *count = comm->clique->size();
  return ncclSuccess;
}

ncclResult_t ncclCommUserRank(ncclComm_t comm, int* rank) {
  const Lock lock(nccl_mutex());
  *rank = comm->rank;
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t result) {
  switch (result) {
    case ncclSuccess:
      return "no error";
    case ncclUnhandledCudaError:
      return "unhandled cuda error";
    case ncclSystemError:
      return "unhandled system error";
    case ncclInternalError:
      return "internal error";
    case ncclInvalidArgument:
      return "invalid argument";
    case ncclInvalidUsage:
      return "invalid usage";
    case ncclRemoteError:
      return "remote process exited or there was a network error";
    case ncclInProgress:
      return "NCCL operation in progress";
    default:
      return "unknown result code";
  }
}

const char* ncclGetLastError(ncclComm_t comm) {
  static thread_local std::string words;
  const Lock lock(nccl_mutex());
  words = comm == nullptr ? "" : comm->last_error;
  return words.c_str();
}
