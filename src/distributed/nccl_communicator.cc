#include "distributed/nccl_communicator.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <utility>

#include "core/check.h"
#include "core/launch.h"
#include "distributed/collective_communicator.h"
#include "distributed/nccl_bootstrap.h"
#include "distributed/nccl_connection.h"
#include "distributed/nccl_traffic.h"
#include "distributed/partition.h"
#include "distributed/profile_range.h"
#include "distributed/reduction_gpu.h"

namespace rallrec::distributed {
namespace {

// As for MPI: below, everybody reduces the whole vector, which costs one exchange less.
constexpr std::size_t kSmallReduction = 32 << 10;

// A collective as the caller sees it. The connection outlives the communicator for its sake.
class Work : public Handle::Work {
 public:
  Work(std::shared_ptr<NcclConnection> connection, std::shared_ptr<NcclTask> task)
      : connection_(std::move(connection)), task_(std::move(task)) {}

  void wait() override { connection_->wait(*task_); }
  bool done() override { return connection_->settled(*task_); }
  void hold(const Queue& queue) override {
    if (queue.device == Device::kCuda) {
      connection_->throw_if_failed();
      task_->ended.hold(stream_of(queue));
    } else {
      wait();
    }
  }

 private:
  std::shared_ptr<NcclConnection> connection_;
  std::shared_ptr<NcclTask> task_;
};

class NcclCommunicator : public CollectiveCommunicator {
 public:
  NcclCommunicator(const ncclUniqueId& id, int rank, int size, const NcclOptions& options);
  ~NcclCommunicator() override;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void confirm() override { connection_->throw_if_failed(); }
  void abort() noexcept override { connection_->abort("this rank aborted the group"); }

 protected:
  Handle start(Collective call) override;

 private:
  void check_pointers(const Collective& call) const;
  void put(const Collective& call);
  void put_reduction(const Collective& call);
  void put_sliced_all_reduce(const Collective& call);
  void put_exchange(const Collective& call, const void* input, void* output, const Route& route);
  // Memory for every rank's piece of a reduction.
  CudaScratch<unsigned char> pieces_of(std::size_t bytes) const {
    return {stream_.get(), static_cast<std::int64_t>(bytes) * size_, "the model or batch"};
  }
  void issue(const Collective& call, const std::function<ncclResult_t(const NcclLane&)>& calls);

  const int rank_;
  const int size_;
  const NcclOptions options_;
  const int exceptions_;
  std::mutex starting_;
  // Before the connection: its work runs on the stream until it is closed.
  CudaStream stream_{StreamPriority::kHigh};
  CudaBuffer<std::int32_t> barrier_flag_;
  std::shared_ptr<NcclConnection> connection_;
};

NcclCommunicator::NcclCommunicator(const ncclUniqueId& id, int rank, int size,
                                   const NcclOptions& options)
    : rank_(rank),
      size_(size),
      options_(options),
      exceptions_(std::uncaught_exceptions()),
      barrier_flag_(1, "the model or batch"),
      connection_(
          std::make_shared<NcclConnection>(id, rank, size, options.device, options.time_limit)) {
  check_cuda(cudaMemsetAsync(barrier_flag_.get(), 0, barrier_flag_.bytes(), stream_.get()),
             "clearing a flag");
}

NcclCommunicator::~NcclCommunicator() {
  cudaSetDevice(options_.device);
  if (std::uncaught_exceptions() > exceptions_) {
    connection_->abort("this rank failed");
  } else {
    connection_->close();
  }
  // Whatever became of the group, nothing may run any more on memory that goes away now.
  cudaStreamSynchronize(stream_.get());
}

Handle NcclCommunicator::start(Collective call) {
  const std::lock_guard<std::mutex> lock(starting_);
  check_cuda(cudaSetDevice(options_.device), "choosing a CUDA device");
  check_pointers(call);
  connection_->throw_if_failed();

  auto task = std::make_shared<NcclTask>();
  task->operation = describe(call);
  const ProfileRange range(task->operation);
  task->may_start.record(stream_of(options_.compute));
  task->may_start.hold(stream_.get());
  put(call);
  task->ended.record(stream_.get());
  connection_->watch(task);
  return Handle(std::make_shared<Work>(connection_, task));
}

void check_pointer(const Collective& call, const char* which, const void* memory) {
  cudaPointerAttributes attributes{};
  check_cuda(cudaPointerGetAttributes(&attributes, memory), "asking where a buffer lies");
  RALLREC_CHECK(
      attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged,
      describe(call) + ": the " + which +
          " is host memory; NCCL moves device memory: copy it to the GPU, or use the host's "
          "communicator");
}

void NcclCommunicator::check_pointers(const Collective& call) const {
  if (input_bytes(call, rank_, size_) > 0) {
    check_pointer(call, "input", call.input);
  }
  const Route route = route_of(call, rank_, size_);
  if (std::any_of(route.receive.begin(), route.receive.end(),
                  [](const Segment& segment) { return segment.bytes > 0; })) {
    check_pointer(call, "output", call.output);
  }
}

void NcclCommunicator::issue(const Collective& call,
                             const std::function<ncclResult_t(const NcclLane&)>& calls) {
  connection_->issue(describe(call), [&](ncclComm_t comm) {
    return calls({comm, stream_.get(), rank_, size_});
  });
}

void NcclCommunicator::put(const Collective& call) {
  switch (call.kind) {
    case CollectiveKind::kAllReduce:
    case CollectiveKind::kReduceScatter:
      put_reduction(call);
      break;
    case CollectiveKind::kAllGather:
      issue(call, [&](const NcclLane& lane) {
        return ncclAllGather(call.input, call.output, call.count, nccl_type(call.dtype), lane.comm,
                             lane.stream);
      });
      break;
    case CollectiveKind::kAllGatherV:
      issue(call, [&](const NcclLane& lane) {
        return gather_to_all(lane, call.input, call.output, call.receive_counts, call.dtype);
      });
      break;
    case CollectiveKind::kBroadcast:
      issue(call, [&](const NcclLane& lane) {
        return ncclBroadcast(call.input, call.output, call.count, nccl_type(call.dtype), call.root,
                             lane.comm, lane.stream);
      });
      break;
    case CollectiveKind::kBarrier:
      issue(call, [&](const NcclLane& lane) {
        return ncclAllReduce(barrier_flag_.get(), barrier_flag_.get(), 1, ncclInt32, ncclMax,
                             lane.comm, lane.stream);
      });
      break;
    default:
      put_exchange(call, call.input, call.output, route_of(call, rank_, size_));
  }
}

void NcclCommunicator::put_exchange(const Collective& call, const void* input, void* output,
                                    const Route& route) {
  issue(call,
        [&](const NcclLane& lane) { return exchange(lane, input, output, route, call.dtype); });
}

void NcclCommunicator::put_reduction(const Collective& call) {
  const std::size_t bytes = call.count * size_of(call.dtype);
  if (bytes == 0) {
    return;
  }
  const bool all = call.kind == CollectiveKind::kAllReduce;
  if (call.dtype != DType::kFloat32 && call.dtype != DType::kFloat64) {
    issue(call, [&](const NcclLane& lane) {
      const auto reduce = all ? &ncclAllReduce : &ncclReduceScatter;
      return reduce(call.input, call.output, call.count, nccl_type(call.dtype), nccl_op(call.op),
                    lane.comm, lane.stream);
    });
    return;
  }
  if (all && bytes > kSmallReduction) {
    put_sliced_all_reduce(call);
    return;
  }
  const CudaScratch<unsigned char> pieces = pieces_of(bytes);
  if (all) {
    issue(call, [&](const NcclLane& lane) {
      return ncclAllGather(call.input, pieces.get(), call.count, nccl_type(call.dtype), lane.comm,
                           lane.stream);
    });
  } else {
    put_exchange(call, call.input, pieces.get(), route_of(call, rank_, size_));
  }
  reduce_pieces_gpu(call.output, pieces.get(), size_, call.count, call.dtype, call.op,
                    stream_.get());
}

// Each rank reduces one slice of the vector; the slices are gathered.
void NcclCommunicator::put_sliced_all_reduce(const Collective& call) {
  const std::size_t element = size_of(call.dtype);
  const Range mine = split_evenly(call.count, size_, rank_);
  const Segment my_slice{mine.begin * element, mine.size() * element};
  Route scatter;
  std::vector<std::size_t> counts;
  for (int peer = 0; peer < size_; ++peer) {
    const Range theirs = split_evenly(call.count, size_, peer);
    counts.push_back(theirs.size());
    scatter.send.push_back({theirs.begin * element, theirs.size() * element});
    scatter.receive.push_back({static_cast<std::size_t>(peer) * my_slice.bytes, my_slice.bytes});
  }
  const CudaScratch<unsigned char> pieces = pieces_of(my_slice.bytes);
  put_exchange(call, call.input, pieces.get(), scatter);
  auto* slice = static_cast<unsigned char*>(call.output) + my_slice.offset;
  reduce_pieces_gpu(slice, pieces.get(), size_, mine.size(), call.dtype, call.op, stream_.get());
  issue(call, [&](const NcclLane& lane) {
    return gather_to_all(lane, slice, call.output, counts, call.dtype);
  });
}

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(Rendezvous& rendezvous,
                                                     const NcclOptions& options) {
  RALLREC_CHECK(options.compute.device == Device::kCuda && options.compute.stream != nullptr,
                "the NCCL communicator needs a CUDA stream that computes");
  check_cuda(cudaSetDevice(options.device), "choosing a CUDA device");
  const ncclUniqueId id = agree_on_unique_id(rendezvous, options.device);
  auto communicator =
      std::make_unique<NcclCommunicator>(id, rendezvous.rank(), rendezvous.size(), options);
  // NCCL connects ranks when they first talk: what is wrong with the network shows here.
  communicator->barrier();
  return communicator;
}

bool has_nccl() { return true; }

}  // namespace rallrec::distributed
