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

constexpr auto kStuck = std::chrono::seconds(20);
constexpr int kStepsPerQuestion = 4;

class RecordOperation : public Operation {
 public:
  explicit RecordOperation(std::shared_ptr<EventState> event)
      : event_(std::move(event)), number_(++event_->asked) {}
  bool step(Random&) override { return true; }
  void finish() override { event_->done = std::max(event_->done, number_); }

 private:
  std::shared_ptr<EventState> event_;
  std::uint64_t number_;
};

class WaitOperation : public Operation {
 public:
  explicit WaitOperation(std::shared_ptr<EventState> event)
      : event_(std::move(event)), number_(event_->asked) {}
  bool ready() override { return event_->done >= number_; }
  bool step(Random&) override { return true; }

 private:
  std::shared_ptr<EventState> event_;
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
    const auto wanted = [&] { return hosts_waiting_ > 0 || nudges_ > 0; };
    if (!wanted()) {
      for_device_.wait_for(lock, patience_, wanted);
    }
    nudges_ -= nudges_ > 0 ? 1 : 0;
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
      finish(stream);
    }
    for_host_.notify_all();
  }
}

void Device::finish(StreamState* stream) {
  stream->queue.front()->finish();
  stream->queue.pop_front();
  if (stream->destroyed && stream->queue.empty()) {
    streams_.erase(stream);
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

StreamState* Device::create_stream(int device) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto stream = std::make_unique<StreamState>();
  stream->number = next_number_++;
  stream->device = device;
  StreamState* key = stream.get();
  streams_[key] = std::move(stream);
  return key;
}

bool Device::knows(const StreamState* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = streams_.find(stream);
  return found != streams_.end() && !found->second->destroyed;
}

bool Device::destroy_stream(StreamState* stream) {
  if (!knows(stream)) {
    return false;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stream->queue.empty()) {
    streams_.erase(stream);
  } else {
    stream->destroyed = true;
  }
  return true;
}

bool Device::enqueue(StreamState* stream, std::unique_ptr<Operation> operation) {
  if (!knows(stream)) {
    return false;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  stream->queue.push_back(std::move(operation));
  for_device_.notify_all();
  return true;
}

void Device::wait_for(StreamState* stream) {
  wait_until([&] { return stream->queue.empty(); }, "cudaStreamSynchronize");
}

void Device::wait_for_all(int device) {
  wait_until(
      [&] {
        return std::all_of(streams_.begin(), streams_.end(), [device](const auto& entry) {
          return entry.second->device != device || entry.second->queue.empty();
        });
      },
      "cudaDeviceSynchronize");
}

bool Device::idle(StreamState* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stream->queue.empty();
}

EventState* Device::create_event() {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto event = std::make_shared<EventState>();
  EventState* key = event.get();
  events_[key] = std::move(event);
  return key;
}

bool Device::knows(const EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return events_.count(event) > 0;
}

bool Device::destroy_event(EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return events_.erase(event) > 0;
}

void Device::record(EventState* event, StreamState* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stream->queue.push_back(std::make_unique<RecordOperation>(events_.at(event)));
  for_device_.notify_all();
}

void Device::make_wait(StreamState* stream, EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stream->queue.push_back(std::make_unique<WaitOperation>(events_.at(event)));
  for_device_.notify_all();
}

void Device::wait_for(EventState* event) {
  wait_until([&] { return event->done == event->asked; }, "cudaEventSynchronize");
}

bool Device::done(EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (event->done == event->asked) {
    return true;
  }
  nudges_ = kStepsPerQuestion;
  for_device_.notify_all();
  return false;
}

void Device::set_patience(std::chrono::milliseconds patience) {
  const std::lock_guard<std::mutex> lock(mutex_);
  patience_ = patience;
}

void Device::wake() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for_device_.notify_all();
}

std::string Device::drop_everything() {
  std::unique_lock<std::mutex> lock(mutex_);
  for_host_.wait(lock, [&] { return !running_; });
  std::string alive;
  const auto streams = std::count_if(streams_.begin(), streams_.end(),
                                     [](const auto& entry) { return !entry.second->destroyed; });
  if (streams > 0) {
    alive += std::to_string(streams) + " streams ";
  }
  if (!events_.empty()) {
    alive += std::to_string(events_.size()) + " events ";
  }
  streams_.clear();
  events_.clear();
  forget_device_memory();
  random_ = Random(seed());
  next_number_ = 1;
  return alive;
}

}  // namespace rallrec::simt
