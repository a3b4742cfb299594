#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/support/simt/block.h"
#include "tests/support/simt/random.h"

namespace rallrec::simt {

// One entry of a stream. Destroyed under the device's lock.
class Operation {
 public:
  virtual ~Operation() = default;
  // Whether it may start or go on; asked under the device's lock.
  virtual bool ready() { return true; }
  // Does some of it, without the lock; true once it is done.
  virtual bool step(Random& random) = 0;
  // Under the lock, after the last step.
  virtual void finish() {}
  // The same from the start, for a replay; null where it cannot be captured.
  virtual std::unique_ptr<Operation> again() const { return nullptr; }
};

struct Capture;
struct GraphState;

// An event's recordings: `asked` counts cudaEventRecord calls, `done` those the device has reached.
// One that was recorded in a capture stands for nodes of it.
struct EventState {
  std::uint64_t asked = 0;
  std::uint64_t done = 0;
  std::shared_ptr<Capture> capture;
  std::vector<std::size_t> nodes;
};

struct StreamState {
  std::uint64_t number = 0;
  int device = 0;          // the GPU it belongs to
  bool destroyed = false;  // and gone once the queue is empty
  std::deque<std::unique_ptr<Operation>> queue;
  std::shared_ptr<Capture> capture;  // where its work goes instead
  std::vector<std::size_t> nodes;    // of the capture, after which its next comes
};

// The devices: one thread that takes the next operation of a stream chosen at random, a few blocks
// of it where it is a kernel, and chooses again. So streams overlap, and any order that events
// permit happens under some seed.
//
// It is lazy: it starts only when the host waits for something or some milliseconds after work
// came, so that a host that reads a result without waiting finds the poison of fresh memory.
class Device {
 public:
  static Device& instance();

  StreamState* create_stream(int device);
  // What it still holds is done all the same. False where the stream is unknown.
  bool destroy_stream(StreamState* stream);
  bool knows(const StreamState* stream);

  bool enqueue(StreamState* stream, std::unique_ptr<Operation> operation);
  // Until all that was enqueued is done. Reports and gives up where nothing moves for kStuck.
  void wait_for(StreamState* stream);
  // The streams of one GPU.
  void wait_for_all(int device);
  bool idle(StreamState* stream);

  EventState* create_event();
  bool destroy_event(EventState* event);
  bool knows(const EventState* event);
  void record(EventState* event, StreamState* stream);
  void make_wait(StreamState* stream, EventState* event);
  void wait_for(EventState* event);
  // A host that asks is waiting in its own way: where the answer is no, the device does some work
  // before it falls back into its laziness.
  bool done(EventState* event);

  // From begin to end the stream's work is recorded. Both return what is wrong, or nothing.
  std::string begin_capture(StreamState* stream);
  std::string end_capture(StreamState* stream, std::shared_ptr<GraphState>& graph);
  bool captures(const StreamState* stream);
  bool was_captured(const EventState* event);
  // Memory of the capture's graph, at the address that every replay has; null without memory.
  void* capture_allocation(StreamState* stream, std::size_t bytes);
  bool capture_free(StreamState* stream, void* memory);

  // How long work may lie before the device starts by itself.
  void set_patience(std::chrono::milliseconds patience);

  // Lets the thread look again whether an operation has become ready.
  void wake();

  // What is alive, in words; empty where nothing is. Also drops all work that is left.
  std::string drop_everything();

 private:
  Device();
  void work();
  void finish(StreamState* stream);
  void add_node(StreamState* stream, std::unique_ptr<Operation> operation);
  StreamState* choose();
  template <typename Condition>
  void wait_until(Condition condition, const char* what);

  std::mutex mutex_;
  std::condition_variable for_device_;
  std::condition_variable for_host_;
  Random random_;
  std::chrono::milliseconds patience_{10};
  int hosts_waiting_ = 0;
  int nudges_ = 0;        // operations that hosts have asked for without waiting
  bool running_ = false;  // an operation runs, without the lock
  std::uint64_t steps_ = 0;
  std::uint64_t next_number_ = 1;
  std::map<const StreamState*, std::unique_ptr<StreamState>> streams_;
  // Operations keep the events they refer to.
  std::map<const EventState*, std::shared_ptr<EventState>> events_;
};

// A kernel as an operation.
std::unique_ptr<Operation> kernel_operation(KernelCall call);
// A function that runs in stream order.
std::unique_ptr<Operation> function_operation(std::function<void()> function);

}  // namespace rallrec::simt
