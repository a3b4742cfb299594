#pragma once

#include <cstdint>
#include <functional>

namespace rallrec {

// Threads this process may use for computing. Set once by `main` from --threads; default 1.
int thread_count();
void set_thread_count(int threads);

// Calls body(begin, end) for disjoint ranges that cover [0, count), on up to thread_count() threads
// of the process's one OpenMP runtime (the one ATen uses). `grain` is the smallest range worth a
// thread. The cut depends on thread_count(), so a body must not let a sum run over its range's
// border. The first exception of a body is rethrown after all have ended. A nested call runs on its
// caller's thread.
void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& body);

}  // namespace rallrec
