#include "distributed/start_guard.h"

#include <unistd.h>

#include <cstdio>

#include "core/error.h"
#include "core/host_name.h"

namespace rallrec::distributed {

StartGuard::StartGuard(int rank, std::chrono::duration<double> limit)
    : rank_(rank), limit_(limit), thread_([this] { run(); }) {}

StartGuard::~StartGuard() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    started_ = true;
  }
  over_.notify_all();
  thread_.join();
}

void StartGuard::run() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (over_.wait_for(lock, limit_, [this] { return started_; })) {
    return;
  }
  std::fprintf(stderr,
               "rallrec (rank %d): on %s, %s has not ended for %.0f s: another rank did not start, "
               "or the network between the hosts does not carry MPI; try `mpirun -n 2 hostname` on "
               "the same hosts, then `rallrec doctor`\n",
               rank_, host_name().c_str(), step_.load(), limit_.count());
  std::fflush(stderr);
  ::_exit(static_cast<int>(ExitCode::kHang));
}

}  // namespace rallrec::distributed
