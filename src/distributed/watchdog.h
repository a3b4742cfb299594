#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "distributed/communicator.h"
#include "distributed/flight_record.h"
#include "distributed/hang_verdict.h"
#include "distributed/straggler.h"
#include "distributed/watch_channel.h"

namespace rallrec::distributed {

struct WatchdogOptions {
  WatchLimits limits;
  // Receives what is worth a warning: a slow rank, a channel that cannot be had.
  std::function<void(const std::string&)> warn;
};

// Finds out that a job of several ranks hangs, and because of whom. A thread of each rank reports
// every second where the rank is (FlightRecord), over TCP and never by MPI, to rank 0, and to rank
// 1 for the case that rank 0 is the one to be missed. Progress is an event of the record, or a call
// of parallel_for.
//
// On a verdict every rank that still can writes its record to <folder>/flight/rank<k>.jsonl, then
// the communicator is aborted, so that the thread that waits in a collective gets an error and
// finds verdict(). Where it does not come back within half of limits.timeout, or five seconds, the
// watchdog prints the verdict and ends the process with its code: it alone in the program may. A
// rank that hears of neither observer for 1.5 times limits.timeout does the same by itself.
class Watchdog {
 public:
  // Collective: the ranks learn of each other's addresses. `communicator` and `record` outlive the
  // object.
  Watchdog(Communicator& communicator, const FlightRecord& record, WatchdogOptions options);
  // The rank takes its leave; the others do not miss it.
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  // With the place of the flight records, ready to be printed.
  std::optional<Verdict> verdict() const;

 private:
  static constexpr std::size_t kObservers = 2;

  void meet(Communicator& communicator);
  void run();
  bool pause(std::chrono::duration<double> time);
  void look();
  void report(WatchClock::time_point now);
  std::optional<Verdict> hear(WatchClock::time_point now);
  std::optional<Verdict> conclude(WatchClock::time_point now) const;
  void obey(Verdict verdict, bool own);
  std::string write_record(const Verdict& verdict) const;
  [[noreturn]] void end_process(const Verdict& verdict) const;

  Communicator& communicator_;
  const FlightRecord& record_;
  const WatchdogOptions options_;
  const std::size_t rank_;
  std::string token_;
  std::vector<RankView> ranks_;    // as this rank knows them, if it is an observer
  std::unique_ptr<WatchHub> hub_;  // of an observer
  std::vector<WatchLink> links_;   // to the observers, in their order
  std::vector<bool> observer_left_;
  StragglerWatch stragglers_;
  WatchClock::time_point looked_{};
  WatchClock::time_point reported_{};
  WatchClock::time_point answered_{};  // by an observer

  mutable std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::optional<Verdict> verdict_;
  std::thread thread_;
};

}  // namespace rallrec::distributed
