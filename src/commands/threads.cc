#include "commands/threads.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>

#include "core/allowed_cores.h"

namespace rallrec::commands {

void set_threads(std::int64_t wanted, int ranks_on_same_cores) {
  int threads = static_cast<int>(wanted);
  if (threads == 0) {
    // The first number of "4" or "4,2"; anything else gives 0.
    const char* variable = std::getenv("OMP_NUM_THREADS");
    threads = variable == nullptr ? 0 : std::clamp(std::atoi(variable), 0, 4096);
  }
  if (threads == 0) {
    const auto cores = static_cast<int>(allowed_cores().size());
    threads = std::max(1, cores / std::max(1, ranks_on_same_cores));
  }
  set_thread_count(threads);
  at::set_num_threads(threads);
}

}  // namespace rallrec::commands
