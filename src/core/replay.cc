#include "core/replay.h"

namespace rallrec {

Replay::Replay(const Queue& queue, bool captured)
    : queue_(queue), captured_(captured && queue.device == Device::kCuda) {}

Replay::~Replay() = default;

void Replay::run(const std::function<void()>& work) {
  if (!captured_ || !ran_) {
    work();
    ran_ = true;
    return;
  }
  if (graph_ == nullptr) {
    graph_ = detail::capture_gpu(queue_, work);
  }
  graph_->start(queue_);
}

}  // namespace rallrec
