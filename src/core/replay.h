#pragma once

#include <functional>
#include <memory>

#include "core/device.h"

namespace rallrec {

// Work that a queue is given again and again, always the same: sizes, addresses and constants of
// every kernel and copy are those of the first time; what changes lies in memory. On a GPU it is
// captured once as a CUDA graph, and from then on a single call starts all of it, so that many
// small kernels do not wait for the host. On the CPU, and where `captured` is false, each run calls
// the work.
class Replay {
 public:
  explicit Replay(const Queue& queue, bool captured = true);
  ~Replay();
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  // `work` only enqueues on the queue, and on streams that it makes wait for the queue and the
  // queue for them; it allocates no arrays but in its first run, which is not captured, and never
  // waits. It is the same in every run. Throws what `work` throws.
  void run(const std::function<void()>& work);

  // What capture_gpu returns.
  class Graph {
   public:
    virtual ~Graph() = default;
    virtual void start(const Queue& queue) = 0;
  };

 private:
  Queue queue_;
  bool captured_;
  bool ran_ = false;
  std::unique_ptr<Graph> graph_;
};

namespace detail {

// What `work` gives the queue's stream, without doing it. Throws where the build has no CUDA.
std::unique_ptr<Replay::Graph> capture_gpu(const Queue& queue, const std::function<void()>& work);

}  // namespace detail
}  // namespace rallrec
