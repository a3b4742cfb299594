#include "commands/threads.h"

#include <ATen/Parallel.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace rallrec::commands {
namespace {

int cores_of_this_process() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    return std::max(1, CPU_COUNT(&set));
  }
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// A launcher that binds ranks has divided the cores already: the process then sees only its own.
int share_of_cores(int ranks_on_node) {
  const int mine = cores_of_this_process();
  const int all = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  return mine < all ? mine : std::max(1, mine / std::max(1, ranks_on_node));
}

}  // namespace

void set_threads(std::int64_t wanted, int ranks_on_node) {
  int threads = static_cast<int>(wanted);
  if (threads == 0) {
    // The first number of "4" or "4,2"; anything else gives 0.
    const char* variable = std::getenv("OMP_NUM_THREADS");
    threads = variable == nullptr ? 0 : std::clamp(std::atoi(variable), 0, 4096);
  }
  if (threads == 0) {
    threads = share_of_cores(ranks_on_node);
  }
  set_thread_count(threads);
  at::set_num_threads(threads);
}

}  // namespace rallrec::commands
