#pragma once

#include <utility>

#include "distributed/collective.h"

namespace rallrec::distributed {

// Another communicator, which must outlive it, unchanged. For classes that change one operation.
class ForwardingCommunicator : public Communicator {
 public:
  explicit ForwardingCommunicator(Communicator& inner) : inner_(inner) {}

  int rank() const override { return inner_.rank(); }
  int size() const override { return inner_.size(); }
  Handle call(Collective collective) override { return inner_.call(std::move(collective)); }
  void confirm() override { inner_.confirm(); }
  void abort() noexcept override { inner_.abort(); }
  std::uint64_t bytes_sent() const override { return inner_.bytes_sent(); }

 protected:
  Communicator& inner() { return inner_; }

 private:
  Communicator& inner_;
};

}  // namespace rallrec::distributed
