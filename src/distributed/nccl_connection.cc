#include "distributed/nccl_connection.h"

#include <algorithm>
#include <utility>

#include "distributed/nccl_error.h"
#include "distributed/peer_lost.h"

namespace rallrec::distributed {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;
using std::chrono::milliseconds;

// Spinning longer would take a core from what else the host does.
constexpr microseconds kSpin{50};
constexpr microseconds kLongestSleep{200};
// Who waits looks for himself; the monitor is for tasks that only streams wait for.
constexpr milliseconds kMonitorSleep{20};

// Pauses between questions: none at first, then longer and longer.
class Patience {
 public:
  void pause() {
    if (Clock::now() < spin_end_) {
      std::this_thread::yield();
      return;
    }
    std::this_thread::sleep_for(sleep_);
    sleep_ = std::min(2 * sleep_, kLongestSleep);
  }

 private:
  Clock::time_point spin_end_ = Clock::now() + kSpin;
  microseconds sleep_{10};
};

std::string seconds(milliseconds time) {
  const std::string text = std::to_string(static_cast<double>(time.count()) / 1000.0);
  return text.substr(0, text.find('.') + 2) + " s";
}

}  // namespace

NcclConnection::NcclConnection(const ncclUniqueId& id, int rank, int size, int device,
                               Milliseconds limit)
    : rank_(rank), device_(device), limit_(limit) {
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  try {
    settle("joining " + std::to_string(size) + " ranks",
           ncclCommInitRankConfig(&comm_, size, id, rank, &config));
  } catch (...) {
    fail(std::current_exception());
    throw;
  }
  monitor_ = std::thread([this] { run_monitor(); });
}

NcclConnection::~NcclConnection() {
  abort("the communicator was given up");
  {
    const Lock lock(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  if (monitor_.joinable()) {
    monitor_.join();
  }
}

ncclResult_t NcclConnection::state() {
  ncclResult_t result = ncclSuccess;
  const ncclResult_t asked = ncclCommGetAsyncError(comm_, &result);
  return asked == ncclSuccess ? result : asked;
}

// Waits until NCCL is through with the call that returned `result`.
void NcclConnection::settle(const std::string& operation, ncclResult_t result) {
  const Clock::time_point end = Clock::now() + limit_;
  Patience patience;
  for (;;) {
    {
      const Lock lock(mutex_);
      if (error_ != nullptr) {
        std::rethrow_exception(error_);
      }
      result = result == ncclInProgress ? state() : result;
      if (result == ncclSuccess) {
        return;
      }
      if (result != ncclInProgress) {
        std::rethrow_exception(nccl_error(result, rank_, operation, comm_));
      }
      if (Clock::now() > end) {
        throw PeerLost("rank " + std::to_string(rank_) + ": " + operation + ": not done after " +
                       seconds(limit_) + "; a rank has ended, hangs, or does not come" +
                       last_words(comm_));
      }
    }
    patience.pause();
  }
}

void NcclConnection::issue(const std::string& operation,
                           const std::function<ncclResult_t(ncclComm_t)>& call) {
  ncclResult_t result = ncclSuccess;
  {
    const Lock lock(mutex_);
    if (error_ != nullptr) {
      std::rethrow_exception(error_);
    }
    result = call(comm_);
  }
  try {
    settle(operation, result);
  } catch (...) {
    const Lock lock(mutex_);
    fail(std::current_exception());
    throw;
  }
}

void NcclConnection::watch(std::shared_ptr<NcclTask> task) {
  {
    const Lock lock(mutex_);
    if (error_ != nullptr) {
      std::rethrow_exception(error_);
    }
    tasks_.push_back(std::move(task));
  }
  changed_.notify_all();
}

void NcclConnection::wait(const NcclTask& task) {
  Patience patience;
  while (!settled(task)) {
    patience.pause();
  }
  const Lock lock(mutex_);
  if (!task.done) {
    std::rethrow_exception(error_);
  }
}

bool NcclConnection::settled(const NcclTask& task) {
  const Lock lock(mutex_);
  look();
  return task.done || error_ != nullptr;
}

void NcclConnection::throw_if_failed() {
  const Lock lock(mutex_);
  look();
  if (error_ != nullptr) {
    std::rethrow_exception(error_);
  }
}

void NcclConnection::look() {
  if (error_ != nullptr || comm_ == nullptr) {
    return;
  }
  try {
    look_at_tasks();
    const ncclResult_t result = state();
    if (result != ncclSuccess && result != ncclInProgress) {
      std::rethrow_exception(nccl_error(
          result, rank_, tasks_.empty() ? "between collectives" : tasks_[0]->operation, comm_));
    }
    look_at_time();
  } catch (...) {
    fail(std::current_exception());
  }
}

void NcclConnection::look_at_tasks() {
  while (!tasks_.empty() && tasks_.front()->ended.reached()) {
    tasks_.front()->done = true;
    tasks_.pop_front();
  }
}

// Time counts for the first task alone, from when its stream could come to it: neither a long
// computation before a collective nor many collectives behind one another are a hang.
void NcclConnection::look_at_time() {
  if (tasks_.empty()) {
    return;
  }
  NcclTask& first = *tasks_.front();
  if (first.started == Clock::time_point{}) {
    first.started = first.may_start.reached() ? Clock::now() : first.started;
  } else if (Clock::now() - first.started > limit_) {
    throw PeerLost("rank " + std::to_string(rank_) + ": " + first.operation + ": not done after " +
                   seconds(limit_) + "; a rank has ended, hangs, or does not call it" +
                   last_words(comm_));
  }
}

// Under the lock, but for the constructor.
void NcclConnection::fail(std::exception_ptr error) noexcept {
  if (error_ == nullptr) {
    error_ = std::move(error);
  }
  if (comm_ != nullptr) {
    ncclCommAbort(std::exchange(comm_, nullptr));
  }
  tasks_.clear();
}

void NcclConnection::abort(const std::string& why) noexcept {
  const Lock lock(mutex_);
  if (comm_ != nullptr) {
    fail(std::make_exception_ptr(PeerLost("rank " + std::to_string(rank_) + ": " + why)));
  }
}

void NcclConnection::close() noexcept {
  try {
    issue("leaving the group", [](ncclComm_t comm) { return ncclCommFinalize(comm); });
  } catch (...) {
    // A rank that does not come to the end has ended by an error, which it reports itself.
    return;
  }
  const Lock lock(mutex_);
  if (comm_ == nullptr) {
    return;
  }
  ncclCommDestroy(std::exchange(comm_, nullptr));
  for (const std::shared_ptr<NcclTask>& task : tasks_) {
    task->done = true;
  }
  tasks_.clear();
  error_ = std::make_exception_ptr(Error("a collective after its communicator was destroyed"));
}

void NcclConnection::run_monitor() {
  // A context of CUDA's belongs to a thread; without one the queries would go to device 0.
  cudaSetDevice(device_);
  Lock lock(mutex_);
  while (!closing_) {
    changed_.wait(lock, [this] { return closing_ || !tasks_.empty(); });
    look();
    changed_.wait_for(lock, kMonitorSleep, [this] { return closing_; });
  }
}

}  // namespace rallrec::distributed
