// The functions of include/nccl.h that move data.
#include <map>
#include <utility>

#include "nccl.h"
#include "tests/support/simt/memory.h"
#include "tests/support/simt/nccl_communicator.h"
#include "tests/support/simt/nccl_registry.h"
#include "tests/support/simt/report.h"

using rallrec::simt::CallSite;
using rallrec::simt::describe;
using rallrec::simt::nccl_mutex;
using rallrec::simt::NcclCall;
using rallrec::simt::NcclKind;

namespace {

constexpr std::uint64_t kMostQuestions = 4;

// What a thread has called since the outermost ncclGroupStart.
struct Group {
  struct Entry {
    NcclCall call;
    ncclComm_t comm;
    cudaStream_t stream;
  };
  int depth = 0;
  std::vector<Entry> entries;
};
thread_local Group group;

ncclResult_t misuse(const std::string& what, const NcclCall& call) {
  rallrec::simt::report(what + ": " + describe(call) + " at " + describe(call.site));
  return ncclInvalidArgument;
}

bool on_device(const void* memory, std::size_t bytes) {
  return bytes == 0 || rallrec::simt::within(rallrec::simt::MemoryKind::kDevice, memory, bytes);
}

ncclResult_t check(const NcclCall& call, ncclComm_t comm) {
  const int ranks = comm->clique->size();
  if (call.peer < 0 || call.peer >= ranks) {
    return misuse("a root or peer that is no rank", call);
  }
  const bool reduces = call.kind == NcclKind::kAllReduce || call.kind == NcclKind::kReduceScatter;
  if (rallrec::simt::bytes_of(call.type) == 0 ||
      (reduces && (call.op == ncclProd || call.op == ncclAvg))) {
    return misuse("a type or operation that the stand-in does not have", call);
  }
  if (!on_device(call.input, rallrec::simt::input_bytes(call, comm->rank, ranks))) {
    return misuse("an input that does not lie within one device buffer", call);
  }
  if (!on_device(call.output, rallrec::simt::output_bytes(call, ranks))) {
    return misuse("an output that does not lie within one device buffer", call);
  }
  return ncclSuccess;
}

// Makes one operation of the calls for one communicator. Under the lock.
ncclResult_t accept(ncclComm_t comm, const std::vector<Group::Entry>& entries,
                    std::vector<ncclComm::Launch>& due) {
  if (!rallrec::simt::is_idle(comm, name_of(entries[0].call.kind))) {
    return ncclInvalidUsage;
  }
  for (const Group::Entry& entry : entries) {
    if (entry.stream != entries[0].stream) {
      return misuse("one group on two streams", entry.call);
    }
    if (const ncclResult_t result = check(entry.call, comm); result != ncclSuccess) {
      return result;
    }
  }
  std::vector<rallrec::simt::Part> parts;
  for (const Group::Entry& entry : entries) {
    parts.push_back(comm->clique->join(comm->rank, entry.call));
    if (parts.back().connects && !comm->blocking) {
      comm->connecting.push_back(parts.back().exchange);
    }
  }
  ++comm->clique->rank(comm->rank).running;
  ncclComm::Launch launch{
      entries[0].stream, rallrec::simt::nccl_operation(comm->clique, comm->rank, std::move(parts))};
  comm->questions = comm->blocking ? 0 : comm->clique->random().below(kMostQuestions);
  const bool at_once = comm->questions == 0 && comm->connecting.empty();
  (at_once ? due : comm->launches).push_back(std::move(launch));
  return at_once ? ncclSuccess : ncclInProgress;
}

ncclResult_t submit(const std::vector<Group::Entry>& entries) {
  std::map<ncclComm_t, std::vector<Group::Entry>> of_communicator;
  for (const Group::Entry& entry : entries) {
    of_communicator[entry.comm].push_back(entry);
  }
  ncclResult_t result = ncclSuccess;
  std::vector<ncclComm::Launch> due;
  {
    const std::lock_guard<std::mutex> lock(nccl_mutex());
    for (const auto& [comm, own] : of_communicator) {
      const ncclResult_t one = accept(comm, own, due);
      result = one == ncclSuccess ? result : one;
    }
  }
  rallrec::simt::start(std::move(due));
  return result;
}

ncclResult_t call(const NcclCall& call, ncclComm_t comm, cudaStream_t stream) {
  if (call.count == 0) {
    return ncclSuccess;
  }
  group.entries.push_back({call, comm, stream});
  return group.depth > 0 ? ncclSuccess : submit(std::exchange(group.entries, {}));
}

}  // namespace

ncclResult_t ncclGroupStart() {
  ++group.depth;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  if (group.depth == 0) {
    rallrec::simt::report("ncclGroupEnd without ncclGroupStart");
    return ncclInvalidUsage;
  }
  if (--group.depth > 0 || group.entries.empty()) {
    return ncclSuccess;
  }
  return submit(std::exchange(group.entries, {}));
}

ncclResult_t ncclAllReduce(const void* input, void* output, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
  return call(
      {NcclKind::kAllReduce, input, output, count, type, op, 0, rallrec::simt::this_call_site()},
      comm, stream);
}

ncclResult_t ncclAllGather(const void* input, void* output, std::size_t count, ncclDataType_t type,
                           ncclComm_t comm, cudaStream_t stream) {
  return call({NcclKind::kAllGather, input, output, count, type, ncclSum, 0,
               rallrec::simt::this_call_site()},
              comm, stream);
}

ncclResult_t ncclReduceScatter(const void* input, void* output, std::size_t count,
                               ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm,
                               cudaStream_t stream) {
  return call({NcclKind::kReduceScatter, input, output, count, type, op, 0,
               rallrec::simt::this_call_site()},
              comm, stream);
}

ncclResult_t ncclBroadcast(const void* input, void* output, std::size_t count, ncclDataType_t type,
                           int root, ncclComm_t comm, cudaStream_t stream) {
  return call({NcclKind::kBroadcast, input, output, count, type, ncclSum, root,
               rallrec::simt::this_call_site()},
              comm, stream);
}

ncclResult_t ncclSend(const void* input, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  return call({NcclKind::kSend, input, nullptr, count, type, ncclSum, peer,
               rallrec::simt::this_call_site()},
              comm, stream);
}

ncclResult_t ncclRecv(void* output, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  return call({NcclKind::kRecv, nullptr, output, count, type, ncclSum, peer,
               rallrec::simt::this_call_site()},
              comm, stream);
}
