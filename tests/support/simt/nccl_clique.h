#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/simt/nccl_exchange.h"
#include "tests/support/simt/random.h"

namespace rallrec::simt {

// One lock for all that NCCL's stand-in holds. Whoever has it calls nothing of Device, which takes
// it while holding its own.
std::mutex& nccl_mutex();
// Notified when a rank joins a group or leaves it.
std::condition_variable& nccl_changed();

// What one rank's communicator and its operations on the streams share.
struct RankState {
  bool joined = false;
  int device = 0;
  bool aborted = false;
  bool finalizing = false;
  int running = 0;  // operations that were started and are not done
};

// One side of an exchange.
struct Part {
  std::shared_ptr<Exchange> exchange;
  std::size_t side = 0;
  // The first one between its ranks, before which NCCL must connect them.
  bool connects = false;
};

// The ranks of one unique id. Everything under the lock.
class Clique {
 public:
  explicit Clique(int size);

  int size() const { return static_cast<int>(ranks_.size()); }
  RankState& rank(int rank) { return ranks_[static_cast<std::size_t>(rank)]; }
  bool all_joined() const;
  bool all_finalizing() const;
  // "ranks 0 and 2 are both on device 0", or empty.
  std::string shared_device() const;

  // Finds the exchange that the call belongs to: a rank's n-th collective is that of all others, a
  // rank's n-th send to another is that one's n-th receive from it.
  Part join(int rank, const NcclCall& call);
  Random& random() { return random_; }

 private:
  // Which calls belong together: from, to (-1, -1 for collectives) and the number.
  using Key = std::pair<std::pair<int, int>, std::uint64_t>;
  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
  };

  std::vector<RankState> ranks_;
  std::vector<std::uint64_t> collectives_;
  std::map<std::pair<int, int>, Counters> pairs_;
  std::map<Key, std::shared_ptr<Exchange>> open_;
  Random random_;
};

// The calls of one rank that were grouped together, as an operation of its stream: it is done when
// all of them are. Each is delivered as soon as its peers have arrived, in any order.
std::unique_ptr<class Operation> nccl_operation(std::shared_ptr<Clique> clique, int rank,
                                                std::vector<Part> parts);

}  // namespace rallrec::simt
