// core/parallel_for.h on the calling thread alone: the fuzz build has no OpenMP.
#include <algorithm>

#include "core/parallel_for.h"

namespace rallrec {

int thread_count() { return 1; }

void set_thread_count(int /*threads*/) {}

void parallel_for(std::int64_t count, std::int64_t /*grain*/,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count > 0) {
    body(0, count);
  }
}

}  // namespace rallrec
