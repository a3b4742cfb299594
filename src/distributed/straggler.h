#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "distributed/hang_verdict.h"

namespace rallrec::distributed {

// Finds the rank that the others wait for although it gets on: over a window of time the half of
// them waits in collectives for most of it, and the one hardly ever. Counts the time between looks
// that both find all ranks computing: what one rank does for all (loading, writing) makes nobody a
// straggler.
class StragglerWatch {
 public:
  explicit StragglerWatch(std::chrono::duration<double> window) : window_(window) {}

  // Called now and then; returns what there is to tell, once for each new straggler, else "".
  std::string look(const std::vector<RankView>& ranks, WatchClock::time_point now);

 private:
  std::string tell(const std::vector<RankView>& ranks, const std::vector<double>& shares,
                   double seconds);

  struct Waited {
    std::int64_t total = 0;    // nanoseconds, as last reported
    std::int64_t counted = 0;  // of the window so far
  };

  std::chrono::duration<double> window_;
  std::chrono::duration<double> spent_{};  // of the window so far
  WatchClock::time_point looked_{};
  bool computing_ = false;
  std::vector<Waited> waited_;
  int named_ = -1;
};

}  // namespace rallrec::distributed
