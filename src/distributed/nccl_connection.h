#pragma once

#include <cuda_runtime.h>
#include <nccl.h>

#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "core/cuda_handle.h"

namespace rallrec::distributed {

// A collective on its stream. Its fields belong to the connection's lock.
struct NcclTask {
  std::string operation;  // in words, for messages
  CudaEvent may_start;    // what the collective waits for besides the collectives before it
  CudaEvent ended;
  // When the connection first saw that it could run.
  std::chrono::steady_clock::time_point started{};
  bool done = false;
};

// The life of one ncclComm_t: made non-blocking, watched, finalised and destroyed, or aborted once.
//
// A thread of the connection looks at it every few milliseconds while tasks are under way, and so
// does everybody who waits: a task's events, what NCCL reports (ncclCommGetAsyncError), and whether
// a task that could run has run longer than the time limit. The first failure aborts the ncclComm_t
// on the spot, which ends its kernels, so that streams that wait for them go on (with wrong data,
// which is why every later call throws). The methods are safe from several threads.
class NcclConnection {
 public:
  using Milliseconds = std::chrono::milliseconds;

  // Joins the group; blocks until all ranks have. Throws PeerLost where they have not within
  // `limit`, Error where NCCL refuses. `device` must be the calling thread's.
  NcclConnection(const ncclUniqueId& id, int rank, int size, int device, Milliseconds limit);
  // As abort() where close() has not been called.
  ~NcclConnection();
  NcclConnection(const NcclConnection&) = delete;
  NcclConnection& operator=(const NcclConnection&) = delete;

  // Runs `call`, which calls NCCL on the ncclComm_t it is given, and returns once NCCL has put the
  // work on its stream: only then may something be recorded behind it. Throws the connection's
  // failure, which `call` may become. One thread at a time.
  void issue(const std::string& operation, const std::function<ncclResult_t(ncclComm_t)>& call);

  // From now on `task` is watched; its events have been recorded. In the order of the stream.
  void watch(std::shared_ptr<NcclTask> task);

  // Blocks the host until the task is done; throws the connection's failure where it never will be.
  void wait(const NcclTask& task);
  // Whether waiting would return or throw at once.
  bool settled(const NcclTask& task);
  // Throws the failure, if there was one.
  void throw_if_failed();

  // Gives up: every task and later call throws PeerLost.
  void abort(const std::string& why) noexcept;
  // Waits until all ranks have called it and all work is done, then destroys the ncclComm_t; aborts
  // where that takes longer than the limit. Collective.
  void close() noexcept;

 private:
  using Lock = std::unique_lock<std::mutex>;

  ncclResult_t state();
  void settle(const std::string& operation, ncclResult_t result);
  void look();
  void look_at_tasks();
  void look_at_time();
  void fail(std::exception_ptr error) noexcept;
  void run_monitor();

  const int rank_;
  const int device_;
  const Milliseconds limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  ncclComm_t comm_ = nullptr;  // null once aborted or destroyed
  std::exception_ptr error_;
  std::deque<std::shared_ptr<NcclTask>> tasks_;
  bool closing_ = false;
  std::thread monitor_;
};

}  // namespace rallrec::distributed
