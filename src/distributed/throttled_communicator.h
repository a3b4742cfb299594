#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <numeric>
#include <thread>
#include <utility>
#include <vector>

#include "distributed/forwarding_communicator.h"

namespace rallrec::distributed {

// A link that takes `latency` and then so long per byte. bytes_per_second 0 = no time per byte.
struct Link {
  std::chrono::microseconds latency{0};
  double bytes_per_second = 0.0;
};

// Another communicator whose all_gather_v, the operation that brings layers of weights, goes over a
// slow link: it is done no earlier than the link allows for the bytes of the other ranks, one call
// after the other. Results are those of the inner one, which must outlive it. Counts how many were
// started and how many waited for. For measurements and tests.
class ThrottledCommunicator : public ForwardingCommunicator {
 public:
  using Clock = std::chrono::steady_clock;

  ThrottledCommunicator(Communicator& inner, const Link& link)
      : ForwardingCommunicator(inner), link_(link) {}

  int started() const { return counts_->started; }
  int waited() const { return counts_->waited; }

  Handle call(Collective collective) override {
    if (collective.kind != CollectiveKind::kAllGatherV) {
      return inner().call(std::move(collective));
    }
    free_at_ =
        std::max(Clock::now(), free_at_) + time_of(collective.receive_counts, collective.dtype);
    ++counts_->started;
    return Handle(
        std::make_shared<Delayed>(inner().call(std::move(collective)), free_at_, counts_));
  }

 private:
  struct Counts {
    int started = 0;
    int waited = 0;
  };

  class Delayed : public Handle::Work {
   public:
    Delayed(Handle inner, Clock::time_point ready, std::shared_ptr<Counts> counts)
        : inner_(std::move(inner)), ready_(ready), counts_(std::move(counts)) {}
    void wait() override {
      inner_.wait();
      std::this_thread::sleep_until(ready_);
      counts_->waited += waited_ ? 0 : 1;
      waited_ = true;
    }
    bool done() override { return Clock::now() >= ready_ && inner_.done(); }

   private:
    Handle inner_;
    Clock::time_point ready_;
    std::shared_ptr<Counts> counts_;
    bool waited_ = false;
  };

  Clock::duration time_of(const std::vector<std::size_t>& counts, DType dtype) const {
    if (link_.bytes_per_second <= 0.0) {
      return link_.latency;
    }
    const auto all = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
    const std::size_t received = all - counts[static_cast<std::size_t>(rank())];
    const std::chrono::duration<double> seconds(static_cast<double>(received * size_of(dtype)) /
                                                link_.bytes_per_second);
    return link_.latency + std::chrono::duration_cast<Clock::duration>(seconds);
  }

  Link link_;
  Clock::time_point free_at_;
  std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
};

}  // namespace rallrec::distributed
