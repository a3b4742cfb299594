#include "distributed/communicator.h"

#include <cstdint>
#include <utility>

#include "distributed/collective.h"

namespace rallrec::distributed {
namespace {

Collective of_kind(CollectiveKind kind, const void* input, void* output, std::size_t count,
                   DType dtype, const CallSite& site) {
  Collective collective;
  collective.kind = kind;
  collective.input = input;
  collective.output = output;
  collective.count = count;
  collective.dtype = dtype;
  collective.site = site;
  return collective;
}

}  // namespace

std::string text_of(const CallSite& site) {
  if (site.line == 0) {
    return "";
  }
  const std::string file = site.file;
  return file.substr(file.find_last_of('/') + 1) + ":" + std::to_string(site.line);
}

std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::kUInt8:
      return 1;
    case DType::kInt32:
    case DType::kFloat32:
      return 4;
    case DType::kInt64:
    case DType::kFloat64:
      return 8;
  }
  return 0;
}

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    Handle previous(std::move(*this));
    work_ = std::move(other.work_);
  }
  return *this;
}

Handle::~Handle() {
  try {
    wait();
  } catch (...) {
    // Whoever drops a handle during unwinding is already reporting an error; the group is lost
    // anyway.
  }
}

void Handle::wait() {
  if (work_ != nullptr) {
    const std::shared_ptr<Work> work = std::move(work_);
    work_ = nullptr;
    work->wait();
  }
}

void Handle::hold(const Queue& queue) {
  if (work_ != nullptr) {
    const std::shared_ptr<Work> work = std::move(work_);
    work_ = nullptr;
    work->hold(queue);
  }
}

Handle Communicator::all_reduce_async(void* data, std::size_t count, DType dtype, ReduceOp op,
                                      CallSite site) {
  Collective collective = of_kind(CollectiveKind::kAllReduce, data, data, count, dtype, site);
  collective.op = op;
  return call(std::move(collective));
}

Handle Communicator::all_gather_async(const void* input, void* output, std::size_t count,
                                      DType dtype, CallSite site) {
  return call(of_kind(CollectiveKind::kAllGather, input, output, count, dtype, site));
}

Handle Communicator::all_gather_v_async(const void* input, void* output,
                                        const std::vector<std::size_t>& counts, DType dtype,
                                        CallSite site) {
  Collective collective = of_kind(CollectiveKind::kAllGatherV, input, output, 0, dtype, site);
  collective.receive_counts = counts;
  return call(std::move(collective));
}

Handle Communicator::reduce_scatter_async(const void* input, void* output, std::size_t count,
                                          DType dtype, ReduceOp op, CallSite site) {
  Collective collective =
      of_kind(CollectiveKind::kReduceScatter, input, output, count, dtype, site);
  collective.op = op;
  return call(std::move(collective));
}

Handle Communicator::all_to_all_async(const void* input, void* output, std::size_t count,
                                      DType dtype, CallSite site) {
  return call(of_kind(CollectiveKind::kAllToAll, input, output, count, dtype, site));
}

Handle Communicator::all_to_all_v_async(const void* input,
                                        const std::vector<std::size_t>& send_counts, void* output,
                                        const std::vector<std::size_t>& receive_counts, DType dtype,
                                        CallSite site) {
  Collective collective = of_kind(CollectiveKind::kAllToAllV, input, output, 0, dtype, site);
  collective.send_counts = send_counts;
  collective.receive_counts = receive_counts;
  return call(std::move(collective));
}

Handle Communicator::broadcast_async(void* data, std::size_t count, DType dtype, int root,
                                     CallSite site) {
  Collective collective = of_kind(CollectiveKind::kBroadcast, data, data, count, dtype, site);
  collective.root = root;
  return call(std::move(collective));
}

Handle Communicator::gather_v_async(const void* input, void* output,
                                    const std::vector<std::size_t>& counts, DType dtype, int root,
                                    CallSite site) {
  Collective collective = of_kind(CollectiveKind::kGatherV, input, output, 0, dtype, site);
  collective.receive_counts = counts;
  collective.root = root;
  return call(std::move(collective));
}

Handle Communicator::barrier_async(CallSite site) {
  return call(of_kind(CollectiveKind::kBarrier, nullptr, nullptr, 0, DType::kUInt8, site));
}

void Communicator::all_reduce(void* data, std::size_t count, DType dtype, ReduceOp op,
                              CallSite site) {
  all_reduce_async(data, count, dtype, op, site).wait();
}

void Communicator::all_gather(const void* input, void* output, std::size_t count, DType dtype,
                              CallSite site) {
  all_gather_async(input, output, count, dtype, site).wait();
}

void Communicator::all_gather_v(const void* input, void* output,
                                const std::vector<std::size_t>& counts, DType dtype,
                                CallSite site) {
  all_gather_v_async(input, output, counts, dtype, site).wait();
}

void Communicator::reduce_scatter(const void* input, void* output, std::size_t count, DType dtype,
                                  ReduceOp op, CallSite site) {
  reduce_scatter_async(input, output, count, dtype, op, site).wait();
}

void Communicator::all_to_all(const void* input, void* output, std::size_t count, DType dtype,
                              CallSite site) {
  all_to_all_async(input, output, count, dtype, site).wait();
}

void Communicator::all_to_all_v(const void* input, const std::vector<std::size_t>& send_counts,
                                void* output, const std::vector<std::size_t>& receive_counts,
                                DType dtype, CallSite site) {
  all_to_all_v_async(input, send_counts, output, receive_counts, dtype, site).wait();
}

void Communicator::broadcast(void* data, std::size_t count, DType dtype, int root, CallSite site) {
  broadcast_async(data, count, dtype, root, site).wait();
}

void Communicator::gather_v(const void* input, void* output, const std::vector<std::size_t>& counts,
                            DType dtype, int root, CallSite site) {
  gather_v_async(input, output, counts, dtype, root, site).wait();
}

void Communicator::barrier(CallSite site) { barrier_async(site).wait(); }

std::vector<std::string> all_gather_strings(Communicator& communicator, const std::string& mine,
                                            CallSite site) {
  const auto size = static_cast<std::size_t>(communicator.size());
  const auto length = static_cast<std::int64_t>(mine.size());
  std::vector<std::int64_t> lengths(size);
  communicator.all_gather(&length, lengths.data(), 1, DType::kInt64, site);

  const std::vector<std::size_t> counts(lengths.begin(), lengths.end());
  std::size_t total = 0;
  for (const std::size_t count : counts) {
    total += count;
  }
  std::string all(total, '\0');
  communicator.all_gather_v(mine.data(), all.data(), counts, DType::kUInt8, site);

  std::vector<std::string> strings;
  std::size_t offset = 0;
  for (const std::size_t count : counts) {
    strings.push_back(all.substr(offset, count));
    offset += count;
  }
  return strings;
}

std::string broadcast_string(Communicator& communicator, const std::string& mine, int root,
                             CallSite site) {
  std::string text = communicator.rank() == root ? mine : std::string();
  auto length = static_cast<std::int64_t>(text.size());
  communicator.broadcast(&length, 1, DType::kInt64, root, site);
  text.resize(static_cast<std::size_t>(length));
  communicator.broadcast(text.data(), text.size(), DType::kUInt8, root, site);
  return text;
}

}  // namespace rallrec::distributed
