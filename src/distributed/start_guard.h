#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace rallrec::distributed {

// Stands in for the watchdog until the ranks are connected, which it needs itself. Where the object
// still lives after `limit`, this rank says on stderr which step of the start has not ended, and
// the process ends with kHang: a thread that hangs in MPI cannot be called back.
class StartGuard {
 public:
  StartGuard(int rank, std::chrono::duration<double> limit);
  ~StartGuard();
  StartGuard(const StartGuard&) = delete;
  StartGuard& operator=(const StartGuard&) = delete;

  // What comes next: "MPI_Init". The text outlives the object.
  void next(const char* step) { step_ = step; }

 private:
  void run();

  const int rank_;
  const std::chrono::duration<double> limit_;
  std::atomic<const char*> step_{"the start"};
  std::mutex mutex_;
  std::condition_variable over_;
  bool started_ = false;
  std::thread thread_;
};

}  // namespace rallrec::distributed
