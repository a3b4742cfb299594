#include "distributed/mpi_communicator.h"

#include <mpi.h>
#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "distributed/collective_communicator.h"
#include "distributed/mpi_operation.h"
#include "distributed/peer_lost.h"

namespace rallrec::distributed {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// Spinning longer would take a core from the computation where ranks fill the machine.
constexpr microseconds kSpin{30};
// Unless the computation is waiting for this very collective: then its core is free, and others
// that want it get it by a yield.
constexpr milliseconds kAwaitedSpin{2};
constexpr microseconds kShortestSleep{10};
constexpr microseconds kLongestSleep{200};
// An idle rank still lets MPI move what it has buffered for others.
constexpr milliseconds kIdle{10};

// The caller's side of a collective under way.
class Task : public Handle::Work {
 public:
  explicit Task(Collective call) : call_(std::move(call)) {}

  void wait() override {
    awaited_ = true;
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return done_; });
    if (error_ != nullptr) {
      std::rethrow_exception(error_);
    }
  }
  bool done() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return done_;
  }

  const Collective& call() const { return call_; }
  // The caller does nothing but wait for this.
  bool awaited() const { return awaited_; }
  void finish(std::exception_ptr error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    done_ = true;
    error_ = std::move(error);
    changed_.notify_all();
  }

 private:
  const Collective call_;
  std::atomic<bool> awaited_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::exception_ptr error_;
};

class MpiCommunicator : public CollectiveCommunicator {
 public:
  explicit MpiCommunicator(std::size_t largest_message);
  ~MpiCommunicator() override;

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void abort() noexcept override;

 protected:
  Handle start(Collective call) override;

 private:
  std::shared_ptr<Task> submit(Collective call);
  // The communication thread.
  void run();
  std::shared_ptr<Task> next_task();
  void perform(Task& task);
  void fail_pending();

  const std::size_t largest_message_;
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  std::mutex mutex_;
  std::condition_variable queued_;
  std::deque<std::shared_ptr<Task>> queue_;
  std::atomic<bool> closing_{false};
  std::atomic<bool> aborted_{false};
  std::thread thread_;
};

PeerLost aborted_error(const Collective& call) {
  return PeerLost(describe(call) + ": the group of ranks was aborted");
}

// Calls `advance` until it returns true or `aborted` is set; returns whether it completed.
// `awaited` says whether the caller has nothing else to do.
template <typename Advance, typename Awaited>
bool poll(const std::atomic<bool>& aborted, Advance&& advance, Awaited&& awaited) {
  const Clock::time_point start = Clock::now();
  microseconds sleep = kShortestSleep;
  while (!aborted) {
    if (advance()) {
      return true;
    }
    const auto spent = Clock::now() - start;
    if (spent < kSpin) {
      continue;
    }
    if (spent < kAwaitedSpin && awaited()) {
      std::this_thread::yield();
      continue;
    }
    std::this_thread::sleep_for(sleep);
    sleep = std::min(2 * sleep, kLongestSleep);
  }
  return false;
}

MpiCommunicator::MpiCommunicator(std::size_t largest_message) : largest_message_(largest_message) {
  MPI_Request request = MPI_REQUEST_NULL;
  MPI_Comm_idup(MPI_COMM_WORLD, &comm_, &request);
  const auto copied = [&request] {
    int complete = 0;
    MPI_Test(&request, &complete, MPI_STATUS_IGNORE);
    return complete != 0;
  };
  poll(aborted_, copied, [] { return true; });
  MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN);
  MPI_Comm_rank(comm_, &rank_);
  MPI_Comm_size(comm_, &size_);
  thread_ = std::thread([this] { run(); });
}

MpiCommunicator::~MpiCommunicator() {
  if (!aborted_) {
    // Nobody leaves while a peer may still need this rank's MPI to make progress.
    try {
      submit(Collective{})->wait();
    } catch (const Error&) {
      // Aborted meanwhile: there is nobody left to wait for.
    }
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
  }
  queued_.notify_all();
  thread_.join();
  if (!aborted_) {
    MPI_Comm_free(&comm_);
  }
}

void MpiCommunicator::abort() noexcept {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    aborted_ = true;
  }
  queued_.notify_all();
}

Handle MpiCommunicator::start(Collective call) { return Handle(submit(std::move(call))); }

std::shared_ptr<Task> MpiCommunicator::submit(Collective call) {
  auto task = std::make_shared<Task>(std::move(call));
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (aborted_) {
      throw aborted_error(task->call());
    }
    queue_.push_back(task);
  }
  queued_.notify_one();
  return task;
}

void MpiCommunicator::run() {
  // The default timer slack of 50 us would double the latency of a short sleep.
  prctl(PR_SET_TIMERSLACK, 1000UL, 0UL, 0UL, 0UL);
  while (!aborted_) {
    if (const std::shared_ptr<Task> task = next_task()) {
      perform(*task);
      continue;
    }
    if (closing_) {
      break;
    }
    int found = 0;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm_, &found, MPI_STATUS_IGNORE);
  }
  fail_pending();
}

std::shared_ptr<Task> MpiCommunicator::next_task() {
  std::unique_lock<std::mutex> lock(mutex_);
  queued_.wait_for(lock, kIdle, [this] { return !queue_.empty() || closing_ || aborted_; });
  if (queue_.empty() || aborted_) {
    return nullptr;
  }
  std::shared_ptr<Task> task = queue_.front();
  queue_.pop_front();
  return task;
}

void MpiCommunicator::perform(Task& task) {
  try {
    MpiOperation operation(task.call(), comm_, rank_, size_, largest_message_);
    if (!poll(
            aborted_, [&operation] { return operation.advance(); },
            [&task] { return task.awaited(); })) {
      throw aborted_error(task.call());
    }
    task.finish(nullptr);
  } catch (...) {
    aborted_ = true;
    task.finish(std::current_exception());
  }
}

void MpiCommunicator::fail_pending() {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const std::shared_ptr<Task>& task : queue_) {
    task->finish(std::make_exception_ptr(aborted_error(task->call())));
  }
  queue_.clear();
}

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(std::size_t largest_message) {
  return std::make_unique<MpiCommunicator>(largest_message);
}

}  // namespace rallrec::distributed
