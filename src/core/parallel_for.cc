#include "core/parallel_for.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <exception>

#include "core/check.h"
#include "core/parallel_calls.h"

namespace rallrec {
namespace {

int configured_threads = 1;
std::atomic<std::uint64_t> calls{0};

}  // namespace

int thread_count() { return configured_threads; }

void set_thread_count(int threads) {
  RALLREC_CHECK(threads > 0, "set_thread_count: at least one thread is needed");
  configured_threads = threads;
}

void parallel_for(std::int64_t count, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
  if (count <= 0) {
    return;
  }
  calls.fetch_add(1, std::memory_order_relaxed);
  const std::int64_t useful =
      (count + std::max<std::int64_t>(grain, 1) - 1) / std::max<std::int64_t>(grain, 1);
  const int threads = static_cast<int>(std::min<std::int64_t>(thread_count(), useful));
  if (threads <= 1 || omp_in_parallel() != 0) {
    body(0, count);
    return;
  }
  std::exception_ptr error;
#pragma omp parallel num_threads(threads)
  {
    const std::int64_t part = omp_get_thread_num();
    const std::int64_t parts = omp_get_num_threads();
    try {
      const std::int64_t begin = count * part / parts;
      const std::int64_t end = count * (part + 1) / parts;
      if (begin < end) {
        body(begin, end);
      }
    } catch (...) {
#pragma omp critical
      error = std::current_exception();
    }
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

std::uint64_t parallel_calls() { return calls.load(std::memory_order_relaxed); }

}  // namespace rallrec
