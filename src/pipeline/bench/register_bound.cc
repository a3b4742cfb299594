#include "pipeline/bench/register_bound.h"

#include <time.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "core/parallel_for.h"
#include "kernels/register_rate.h"

namespace rallrec::pipeline {
namespace {

// Rounds of the register loops: some milliseconds, so that one run of several is undisturbed.
constexpr std::int64_t kRounds = 1'000'000;
constexpr int kRuns = 10;

// CPU seconds of the calling thread so far: another process that takes its turn does not count.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// 0 where there is no loop.
double register_rate(double (*loop)(std::int64_t)) {
  std::vector<double> rates(static_cast<std::size_t>(thread_count()));
  parallel_for(thread_count(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double start = thread_seconds();
      const double operations = loop(kRounds);
      rates[static_cast<std::size_t>(i)] = operations / (thread_seconds() - start);
    }
  });
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

}  // namespace

void RegisterBound::measure() {
  for (int i = 0; i < kRuns; ++i) {
    fp32 = std::max(fp32, register_rate(&kernels::run_fp32_registers));
    int8 = std::max(int8, register_rate(&kernels::run_int8_registers));
  }
}

}  // namespace rallrec::pipeline
