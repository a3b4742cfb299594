#pragma once

#include <string>
#include <vector>

#include "distributed/hang_verdict.h"

namespace rallrec::distributed {

// Finds the rank that the others wait for although it gets on: over a window of time the half of
// them waits in collectives for most of it, and the one hardly ever. Looks at computing alone: what
// one rank does for all (loading, writing) makes nobody a straggler.
class StragglerWatch {
 public:
  explicit StragglerWatch(std::chrono::duration<double> window) : window_(window) {}

  // Called now and then; returns what there is to tell, once for each new straggler, else "".
  std::string look(const std::vector<RankView>& ranks, WatchClock::time_point now);

 private:
  std::string tell(const std::vector<RankView>& ranks, const std::vector<double>& shares,
                   double seconds);

  std::chrono::duration<double> window_;
  WatchClock::time_point begin_{};
  std::vector<std::int64_t> waited_;  // at the window's begin
  int named_ = -1;
};

}  // namespace rallrec::distributed
