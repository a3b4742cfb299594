#include "tests/support/simt/device.h"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/simt/memory.h"
#include "tests/support/simt/report.h"
#include "tests/support/simt/seed.h"

namespace rallrec::simt {
namespace {

constexpr auto kPatience = std::chrono::milliseconds(3);
constexpr auto kStuck = std::chrono::seconds(20);

class RecordOperation : public Operation {
 public:
  explicit RecordOperation(EventState* event) : event_(event), number_(++event->asked) {}
  bool step(Random&) override { return true; }
  void finish() override { event_->done = std::max(event_->done, number_); }

 private:
  EventState* event_;
  std::uint64_t number_;
};

class WaitOperation : public Operation {
 public:
  explicit WaitOperation(EventState* event) : event_(event), number_(event->asked) {}
  bool ready() override { return event_->done >= number_; }
  bool step(Random&) override { return true; }

 private:
  EventState* event_;
  std::uint64_t number_;
};

}  // namespace

Device& Device::instance() {
  static auto& device = *new Device;
  return device;
}

Device::Device() : random_(seed()) { std::thread(&Device::work, this).detach(); }

StreamState* Device::choose() {
  std::vector<StreamState*> able;
  for (auto& [key, stream] : streams_) {
    if (!stream->queue.empty() && stream->queue.front()->ready()) {
      able.push_back(stream.get());
    }
  }
  if (able.empty()) {
    return nullptr;
  }
  // Streams in the order of their numbers, not of their addresses, so that a seed means the same.
  std::sort(able.begin(), able.end(),
            [](const auto* a, const auto* b) { return a->number < b->number; });
  return able[random_.below(able.size())];
}

void Device::work() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    if (hosts_waiting_ == 0) {
      for_device_.wait_for(lock, kPatience, [&] { return hosts_waiting_ > 0; });
    }
    StreamState* stream = choose();
    if (stream == nullptr) {
      for_device_.wait(lock);
      continue;
    }
    Operation* operation = stream->queue.front().get();
    running_ = true;
    lock.unlock();
    unlock_device_memory();
    const bool done = operation->step(random_);
    lock_device_memory();
    lock.lock();
    running_ = false;
    ++steps_;
    if (done) {
      operation->finish();
      stream->queue.pop_front();
    }
    for_host_.notify_all();
  }
}

template <typename Condition>
void Device::wait_until(Condition condition, const char* what) {
  std::unique_lock<std::mutex> lock(mutex_);
  ++hosts_waiting_;
  for_device_.notify_all();
  auto moved = std::chrono::steady_clock::now();
  std::uint64_t steps = steps_;
  while (!condition()) {
    for_host_.wait_for(lock, std::chrono::milliseconds(100));
    const auto now = std::chrono::steady_clock::now();
    if (steps != steps_ || running_) {
      steps = steps_;
      moved = now;
    } else if (now - moved > kStuck) {
      report(std::string(what) + " waits for work that never becomes ready");
      break;
    }
  }
  --hosts_waiting_;
}

StreamState* Device::create_stream() {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto stream = std::make_unique<StreamState>();
  stream->number = next_number_++;
  StreamState* key = stream.get();
  streams_[key] = std::move(stream);
  return key;
}

bool Device::knows(const StreamState* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return streams_.count(stream) > 0;
}

bool Device::destroy_stream(StreamState* stream) {
  if (!knows(stream)) {
    return false;
  }
  wait_for(stream);
  const std::lock_guard<std::mutex> lock(mutex_);
  streams_.erase(stream);
  return true;
}

bool Device::enqueue(StreamState* stream, std::unique_ptr<Operation> operation) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (streams_.count(stream) == 0) {
    return false;
  }
  stream->queue.push_back(std::move(operation));
  for_device_.notify_all();
  return true;
}

void Device::wait_for(StreamState* stream) {
  wait_until([&] { return stream->queue.empty(); }, "cudaStreamSynchronize");
}

void Device::wait_for_all() {
  wait_until(
      [&] {
        return std::all_of(streams_.begin(), streams_.end(),
                           [](const auto& entry) { return entry.second->queue.empty(); });
      },
      "cudaDeviceSynchronize");
}

bool Device::idle(StreamState* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stream->queue.empty();
}

EventState* Device::create_event() {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto event = std::make_unique<EventState>();
  EventState* key = event.get();
  events_[key] = std::move(event);
  return key;
}

bool Device::knows(const EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return events_.count(event) > 0;
}

bool Device::destroy_event(EventState* event) {
  if (!knows(event)) {
    return false;
  }
  // CUDA keeps an event that streams still refer to until they are past it.
  wait_until([&] { return event->done == event->asked; }, "cudaEventDestroy");
  wait_for_all();
  const std::lock_guard<std::mutex> lock(mutex_);
  events_.erase(event);
  return true;
}

void Device::record(EventState* event, StreamState* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stream->queue.push_back(std::make_unique<RecordOperation>(event));
  for_device_.notify_all();
}

void Device::make_wait(StreamState* stream, EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stream->queue.push_back(std::make_unique<WaitOperation>(event));
  for_device_.notify_all();
}

void Device::wait_for(EventState* event) {
  wait_until([&] { return event->done == event->asked; }, "cudaEventSynchronize");
}

bool Device::done(EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return event->done == event->asked;
}

void Device::wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for_device_.notify_all();
}

std::string Device::drop_everything() {
  std::unique_lock<std::mutex> lock(mutex_);
  for_host_.wait(lock, [&] { return !running_; });
  std::string alive;
  if (!streams_.empty()) {
    alive += std::to_string(streams_.size()) + " streams ";
  }
  if (!events_.empty()) {
    alive += std::to_string(events_.size()) + " events ";
  }
  streams_.clear();
  events_.clear();
  random_ = Random(seed());
  next_number_ = 1;
  return alive;
}

}  // namespace rallrec::simt
