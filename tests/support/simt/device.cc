#include "tests/support/simt/device.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/simt/graph.h"
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

// A wait in a capture: what the stream is given next comes after what the event stands for.
void join_capture(StreamState& stream, const EventState& event) {
  if (event.capture == nullptr) {
    report("a captured stream waits for an event that was recorded outside of the capture");
    return;
  }
  if (stream.capture != nullptr && stream.capture != event.capture) {
    report("a captured stream waits for an event of another capture");
    return;
  }
  stream.capture = event.capture;
  stream.nodes.insert(stream.nodes.end(), event.nodes.begin(), event.nodes.end());
}

// Whether each node comes before one of `last`.
bool all_joined(const GraphState& graph, const std::vector<std::size_t>& last) {
  std::vector<bool> before(graph.nodes.size());
  for (const std::size_t node : last) {
    before[node] = true;
  }
  for (std::size_t node = graph.nodes.size(); node-- > 0;) {
    for (const std::size_t earlier : graph.nodes[node].after) {
      before[earlier] = before[earlier] || before[node];
    }
  }
  return std::all_of(before.begin(), before.end(), [](bool joined) { return joined; });
}

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
  if (stream->capture != nullptr) {
    add_node(stream, std::move(operation));
    return true;
  }
  stream->queue.push_back(std::move(operation));
  for_device_.notify_all();
  return true;
}

// Of a stream that is captured, under the lock.
void Device::add_node(StreamState* stream, std::unique_ptr<Operation> operation) {
  if (operation->again() == nullptr) {
    report("a captured stream is given work that cannot be captured");
    return;
  }
  auto& nodes = stream->capture->graph->nodes;
  nodes.push_back({std::move(operation), std::move(stream->nodes)});
  stream->nodes = {nodes.size() - 1};
}

std::string Device::begin_capture(StreamState* stream) {
  if (!knows(stream)) {
    return "cudaStreamBeginCapture of a stream that does not exist";
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stream->capture != nullptr) {
    return "cudaStreamBeginCapture of a stream that is being captured";
  }
  stream->capture = std::make_shared<Capture>();
  stream->capture->origin = stream;
  return "";
}

std::string Device::end_capture(StreamState* stream, std::shared_ptr<GraphState>& graph) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const std::shared_ptr<Capture> capture = stream->capture;
  if (capture == nullptr || capture->origin != stream) {
    return "cudaStreamEndCapture of a stream whose capture did not begin there";
  }
  const std::vector<std::size_t> last = stream->nodes;
  for (auto& [key, other] : streams_) {
    if (other->capture == capture) {
      other->capture.reset();
      other->nodes.clear();
    }
  }
  graph = capture->graph;
  if (!all_joined(*graph, last)) {
    return "cudaStreamEndCapture before the stream waits for all that the capture holds";
  }
  const bool freed = std::all_of(graph->memory.begin(), graph->memory.end(),
                                 [](const auto& memory) { return memory->freed; });
  return freed ? "" : "cudaStreamEndCapture before memory of the capture is freed";
}

bool Device::captures(const StreamState* stream) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = streams_.find(stream);
  return found != streams_.end() && found->second->capture != nullptr;
}

bool Device::was_captured(const EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return event->capture != nullptr;
}

void* Device::capture_allocation(StreamState* stream, std::size_t bytes) {
  const std::lock_guard<std::mutex> lock(mutex_);
  void* memory = allocate(MemoryKind::kDevice, bytes);
  if (memory != nullptr) {
    stream->capture->graph->memory.push_back(std::make_unique<GraphState::Memory>(memory));
    add_node(stream, function_operation([=] { std::memset(memory, 0xFF, bytes); }));
  }
  return memory;
}

bool Device::capture_free(StreamState* stream, void* memory) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto& all = stream->capture->graph->memory;
  const auto found = std::find_if(all.begin(), all.end(), [=](const auto& entry) {
    return entry->address == memory && !entry->freed;
  });
  if (found == all.end()) {
    return false;
  }
  (*found)->freed = true;
  const char* begin = nullptr;
  const char* end = nullptr;
  find_allocation(MemoryKind::kDevice, memory, begin, end);
  const auto bytes = static_cast<std::size_t>(end - begin);
  add_node(stream, function_operation([=] { std::memset(memory, 0xFF, bytes); }));
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
  event->capture = stream->capture;
  event->nodes = stream->nodes;
  if (stream->capture != nullptr) {
    return;
  }
  stream->queue.push_back(std::make_unique<RecordOperation>(events_.at(event)));
  for_device_.notify_all();
}

void Device::make_wait(StreamState* stream, EventState* event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stream->capture != nullptr || event->capture != nullptr) {
    join_capture(*stream, *event);
    return;
  }
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
