#pragma once

#include <atomic>
#include <cstdint>

#include "distributed/collective.h"
#include "distributed/communicator.h"

namespace rallrec::distributed {

// What the communicators share: a call is checked, counted and noted in the rank's flight record
// before `start` sees it. Wrong arguments throw Error (exit code 70) before anything is started.
class CollectiveCommunicator : public Communicator {
 public:
  Handle call(Collective collective) override;
  std::uint64_t bytes_sent() const override { return bytes_sent_; }

 protected:
  // Starts the call; it is valid in itself and every counts vector has size() entries or none.
  virtual Handle start(Collective call) = 0;

 private:
  std::atomic<std::uint64_t> bytes_sent_{0};
};

}  // namespace rallrec::distributed
