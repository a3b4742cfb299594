#include "distributed/thread_communicator.h"

#include <thread>
#include <utility>
#include <vector>

#include "core/check.h"
#include "distributed/collective_communicator.h"
#include "distributed/peer_lost.h"
#include "distributed/thread_group.h"

namespace rallrec::distributed {
namespace {

class PendingRound : public Handle::Work {
 public:
  PendingRound(ThreadGroup& group, std::uint64_t round) : group_(group), round_(round) {}
  void wait() override { group_.wait(round_); }
  bool done() override { return group_.complete(round_); }

 private:
  ThreadGroup& group_;
  const std::uint64_t round_;
};

class ThreadCommunicator : public CollectiveCommunicator {
 public:
  ThreadCommunicator(ThreadGroup& group, int rank) : group_(group), rank_(rank) {}

  int rank() const override { return rank_; }
  int size() const override { return group_.size(); }
  void abort() noexcept override {
    group_.fail(
        std::make_exception_ptr(PeerLost("rank " + std::to_string(rank_) + " aborted the group")));
  }

 protected:
  Handle start(Collective call) override {
    const std::uint64_t round = group_.enter(rank_, std::move(call));
    return Handle(std::make_shared<PendingRound>(group_, round));
  }

 private:
  ThreadGroup& group_;
  const int rank_;
};

void run_rank(ThreadGroup& group, int rank, const std::function<void(Communicator&)>& body) {
  ThreadCommunicator communicator(group, rank);
  try {
    body(communicator);
    group.leave(rank);
  } catch (...) {
    group.fail(std::current_exception());
  }
}

}  // namespace

void run_thread_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  RALLREC_CHECK(ranks > 0, "run_thread_ranks: the number of ranks must be positive");
  ThreadGroup group(ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&group, rank, &body] { run_rank(group, rank, body); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  group.rethrow();
}

}  // namespace rallrec::distributed
