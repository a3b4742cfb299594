#include "distributed/collective_communicator.h"

#include <string>
#include <utility>

#include "core/check.h"
#include "distributed/flight_marks.h"

namespace rallrec::distributed {
namespace {

Collective make(CollectiveKind kind, const void* input, void* output, std::size_t count,
                DType dtype) {
  Collective call;
  call.kind = kind;
  call.input = input;
  call.output = output;
  call.count = count;
  call.dtype = dtype;
  return call;
}

// Notes in the rank's record when the call is waited for. What another thread waits for is not
// noted: a record has one writer.
class RecordedWork : public Handle::Work {
 public:
  RecordedWork(Handle inner, FlightRecord& record, const CallNote& call)
      : inner_(std::move(inner)), record_(record), call_(call) {}

  void wait() override {
    noted([this] { inner_.wait(); });
  }
  bool done() override { return inner_.done(); }
  void hold(const Queue& queue) override {
    if (queue.device == Device::kCuda) {  // the host need not wait: nothing to note
      inner_.hold(queue);
    } else {
      noted([&] { inner_.hold(queue); });
    }
  }

 private:
  template <typename Wait>
  void noted(const Wait& wait) {
    if (current_flight() != &record_) {
      wait();
      return;
    }
    record_.wait(call_);
    try {
      wait();
    } catch (...) {
      record_.done(call_);
      throw;
    }
    record_.done(call_);
  }

  Handle inner_;
  FlightRecord& record_;
  const CallNote call_;
};

}  // namespace

void CollectiveCommunicator::check_counts(const std::vector<std::size_t>& counts) const {
  RALLREC_CHECK(counts.size() == static_cast<std::size_t>(size()),
                "a collective got " + std::to_string(counts.size()) + " counts for " +
                    std::to_string(size()) + " ranks");
}

void CollectiveCommunicator::check_root(int root) const {
  RALLREC_CHECK(root >= 0 && root < size(),
                "root " + std::to_string(root) + " is not a rank of " + std::to_string(size()));
}

Handle CollectiveCommunicator::launch(Collective call) {
  const std::size_t bytes = input_bytes(call, rank(), size());
  bytes_sent_ += bytes;
  FlightRecord* record = current_flight();
  if (record == nullptr || size() == 1) {
    return start(std::move(call));
  }
  const CallNote note = record->call(call, bytes);
  return Handle(std::make_shared<RecordedWork>(start(std::move(call)), *record, note));
}

Handle CollectiveCommunicator::all_reduce_async(void* data, std::size_t count, DType dtype,
                                                ReduceOp op) {
  Collective call = make(CollectiveKind::kAllReduce, data, data, count, dtype);
  call.op = op;
  return launch(std::move(call));
}

Handle CollectiveCommunicator::all_gather_async(const void* input, void* output, std::size_t count,
                                                DType dtype) {
  return launch(make(CollectiveKind::kAllGather, input, output, count, dtype));
}

Handle CollectiveCommunicator::all_gather_v_async(const void* input, void* output,
                                                  const std::vector<std::size_t>& counts,
                                                  DType dtype) {
  check_counts(counts);
  Collective call = make(CollectiveKind::kAllGatherV, input, output, 0, dtype);
  call.receive_counts = counts;
  return launch(std::move(call));
}

Handle CollectiveCommunicator::reduce_scatter_async(const void* input, void* output,
                                                    std::size_t count, DType dtype, ReduceOp op) {
  Collective call = make(CollectiveKind::kReduceScatter, input, output, count, dtype);
  call.op = op;
  return launch(std::move(call));
}

Handle CollectiveCommunicator::all_to_all_async(const void* input, void* output, std::size_t count,
                                                DType dtype) {
  return launch(make(CollectiveKind::kAllToAll, input, output, count, dtype));
}

Handle CollectiveCommunicator::all_to_all_v_async(const void* input,
                                                  const std::vector<std::size_t>& send_counts,
                                                  void* output,
                                                  const std::vector<std::size_t>& receive_counts,
                                                  DType dtype) {
  check_counts(send_counts);
  check_counts(receive_counts);
  const auto me = static_cast<std::size_t>(rank());
  RALLREC_CHECK(send_counts[me] == receive_counts[me],
                "all_to_all_v: a rank's piece for itself has two lengths");
  Collective call = make(CollectiveKind::kAllToAllV, input, output, 0, dtype);
  call.send_counts = send_counts;
  call.receive_counts = receive_counts;
  return launch(std::move(call));
}

Handle CollectiveCommunicator::broadcast_async(void* data, std::size_t count, DType dtype,
                                               int root) {
  check_root(root);
  Collective call = make(CollectiveKind::kBroadcast, data, data, count, dtype);
  call.root = root;
  return launch(std::move(call));
}

Handle CollectiveCommunicator::gather_v_async(const void* input, void* output,
                                              const std::vector<std::size_t>& counts, DType dtype,
                                              int root) {
  check_counts(counts);
  check_root(root);
  Collective call = make(CollectiveKind::kGatherV, input, output, 0, dtype);
  call.receive_counts = counts;
  call.root = root;
  return launch(std::move(call));
}

Handle CollectiveCommunicator::barrier_async() { return launch(Collective{}); }

}  // namespace rallrec::distributed
