#include "distributed/collective_communicator.h"

#include <memory>
#include <utility>

#include "distributed/flight_marks.h"

namespace rallrec::distributed {
namespace {

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

Handle CollectiveCommunicator::call(Collective collective) {
  check(collective, rank(), size());
  const std::size_t bytes = input_bytes(collective, rank(), size());
  bytes_sent_ += bytes;
  FlightRecord* record = current_flight();
  if (record == nullptr || size() == 1) {
    return start(std::move(collective));
  }
  const CallNote note = record->call(collective, bytes);
  return Handle(std::make_shared<RecordedWork>(start(std::move(collective)), *record, note));
}

}  // namespace rallrec::distributed
