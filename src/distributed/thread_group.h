#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <vector>

#include "distributed/collective.h"

namespace rallrec::distributed {

// The meeting point of the ranks of run_thread_ranks. The n-th calls of all ranks form round n;
// whoever calls last moves the data of all, under the lock, so that a rank that fails can free its
// buffers as soon as it has the lock's word that its rounds are over.
class ThreadGroup {
 public:
  explicit ThreadGroup(int size);

  int size() const { return size_; }

  // Enters the rank's next round and returns its number. Throws PeerLost where the group has
  // failed, and Error where the call does not match the others'.
  std::uint64_t enter(int rank, Collective call);
  // Blocks until the round is complete; throws PeerLost where it never will be.
  void wait(std::uint64_t round);
  bool complete(std::uint64_t round);

  // The rank calls nothing more. Where others wait for it, that is an error of the group.
  void leave(int rank);
  // The group's first error releases everybody.
  void fail(std::exception_ptr error) noexcept;
  // Rethrows the first error, if any.
  void rethrow();

 private:
  struct Round {
    std::vector<Collective> calls;
    std::vector<bool> joined;
    int arrived = 0;
  };

  Round& round_at(std::uint64_t number);
  void check_match(const Round& round, int rank, const Collective& call);
  void check_absent(const Round& round, int absent);
  [[noreturn]] void mismatch(const std::string& message);
  void fail_locked(std::exception_ptr error);
  bool is_complete(std::uint64_t round) const { return round < first_open_; }

  const int size_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Rounds that not all have joined; the front is round number first_open_.
  std::deque<Round> open_;
  std::uint64_t first_open_ = 0;
  std::vector<std::uint64_t> next_round_;
  std::vector<bool> left_;
  std::exception_ptr error_;
};

// Moves the data of one complete collective; calls[r] is rank r's.
void move_data(const std::vector<Collective>& calls);

}  // namespace rallrec::distributed
