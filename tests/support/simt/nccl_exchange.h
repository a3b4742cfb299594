#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/simt/nccl_call.h"
#include "tests/support/simt/nccl_reduction.h"
#include "tests/support/simt/random.h"

namespace rallrec::simt {

// The calls of several ranks that belong together: one collective with a side per rank, or a send
// (side 0) and its receive (side 1). The life of a side: joined by the host's call; arrived when
// the stream has come to it, from when on its output holds garbage; delivered once all have
// arrived. Inputs are read at one moment between the last arrival and the first delivery.
//
// Not safe from several threads by itself: under the lock of nccl_state.h.
class Exchange {
 public:
  explicit Exchange(std::size_t sides) : sides_(sides) {}

  // False, and a report with both call sites, where the call does not fit those that have joined.
  // Such an exchange never completes, as NCCL hangs.
  bool join(std::size_t side, int rank, const NcclCall& call);
  bool full() const;

  void arrive(std::size_t side);
  bool ready() const;
  void deliver(std::size_t side, Random& random);

 private:
  struct Side {
    std::optional<NcclCall> call;
    int rank = 0;
    bool arrived = false;
    Bytes result;
  };

  bool is_pair() const { return sides_[0].call && sides_[0].call->kind == NcclKind::kSend; }
  Bytes input_of(const Side& side) const;
  void transfer(Random& random);

  std::vector<Side> sides_;
  bool broken_ = false;
  bool transferred_ = false;
};

}  // namespace rallrec::simt
