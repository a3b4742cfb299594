#pragma once

#include <utility>

#include "core/stopwatch.h"
#include "distributed/forwarding_communicator.h"

namespace rallrec::distributed {

// Another communicator whose all_gather_v, the operation that brings layers of weights, is waited
// for when it is started: nothing is computed meanwhile. What the overlap of the two is worth is
// the difference. For measurements.
class BlockingGathers : public ForwardingCommunicator {
 public:
  explicit BlockingGathers(Communicator& inner) : ForwardingCommunicator(inner) {}

  // Spent in those gathers so far.
  double seconds() const { return seconds_; }

  Handle call(Collective collective) override {
    if (collective.kind != CollectiveKind::kAllGatherV) {
      return inner().call(std::move(collective));
    }
    const Stopwatch watch;
    inner().call(std::move(collective)).wait();
    seconds_ += watch.seconds();
    return Handle();
  }

 private:
  double seconds_ = 0.0;
};

}  // namespace rallrec::distributed
