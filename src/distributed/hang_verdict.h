#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "distributed/flight_record.h"

namespace rallrec::distributed {

using WatchClock = std::chrono::steady_clock;

// How long a job may stand still before it counts as hung, in seconds; `timeout` 0 = nobody looks.
// The other three hold where any rank is in that phase, and are for work that one rank does while
// the others wait without a sign of life; `prompts` is that of kData too.
struct WatchLimits {
  double timeout = 120.0;
  double load = 1800.0;
  double prompts = 1800.0;
  double checkpoint = 600.0;

  double of(Phase phase) const;
};

// What a rank says of itself each second. Plain bytes: ranks send it to each other.
struct RankReport {
  FlightEvent event;                    // its newest
  std::uint64_t calls = 0;              // collectives called
  std::uint64_t beats = 0;              // other signs of work, see Watchdog
  std::int64_t waited_nanoseconds = 0;  // in collectives
};

// What an observer knows of a rank, by the observer's own clock.
struct RankView {
  std::string host;
  RankReport report;
  WatchClock::time_point heard;    // when a report came last
  WatchClock::time_point changed;  // when one came last that showed progress
  bool connected = true;           // false from when its connection broke off
  bool ended = false;              // it has said that it is done

  // Takes a report that has come now.
  void take(const RankReport& fresh, WatchClock::time_point now);
};

struct Verdict {
  ExitCode code = ExitCode::kHang;
  std::string text;  // who, where, and who waits; without a full stop
};

// Whether the job hangs, and because of whom. Hung is a job in which a rank has not been heard of
// for limits.timeout, or in which no rank has made progress for as long as the phases allow. A rank
// whose connection broke off, and which has not come back within seconds, is lost (kPeerLost).
std::optional<Verdict> judge(const std::vector<RankView>& ranks, const WatchLimits& limits,
                             WatchClock::time_point now);

// "rank 1 on node7".
std::string rank_text(const std::vector<RankView>& ranks, std::size_t rank);

}  // namespace rallrec::distributed
