#pragma once

#include "distributed/collective_communicator.h"

namespace rallrec::distributed {

// The group of one: every collective is a copy, done when the call returns. After `abort` every
// call throws PeerLost, as in the larger groups.
class LocalCommunicator : public CollectiveCommunicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  void abort() noexcept override { aborted_ = true; }

 protected:
  Handle start(Collective call) override;

 private:
  std::atomic<bool> aborted_{false};
};

}  // namespace rallrec::distributed
