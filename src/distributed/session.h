#pragma once

#include <exception>
#include <memory>

#include "core/error.h"
#include "distributed/communicator.h"
#include "distributed/flight_marks.h"
#include "distributed/launch_environment.h"
#include "distributed/watchdog.h"

namespace rallrec::distributed {

class MpiRuntime;

// The process's membership in its job. `main` owns the only one: construction initialises MPI where
// a launcher started several processes (without one MPI is never touched), destruction finalises
// it.
//
//   Session session(detect_launch_environment());
//   try { code = run(session.communicator()); session.finish(); }
//   catch (…) { code = report(session.cause_of(std::current_exception())); session.abort(code); }
//
// It keeps the flight record of its thread, which is the rank, and the watchdog over it.
class Session {
 public:
  // Throws Error (usage) where launcher and MPI disagree about the number of processes.
  explicit Session(const LaunchEnvironment& environment);
  // With several ranks: waits until all ranks have come here, unless the job was aborted.
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Communicator& communicator() { return *communicator_; }
  // This process's number among the ranks on the same host, and how many those are.
  int local_rank() const { return local_rank_; }
  int ranks_on_node() const { return ranks_on_node_; }
  // Those of them that may use the same cores as this one: all where nothing is bound, those of a
  // socket where the launcher binds to sockets.
  int ranks_on_same_cores() const { return ranks_on_same_cores_; }

  // From now on a watchdog looks for ranks that hang, unless there is one rank alone or the
  // time-out is 0. Collective; once.
  void watch(WatchdogOptions options);
  // Waits for all ranks while the watchdog still looks, then dismisses it. Collective.
  void finish();
  // What `failure` comes from: the watchdog's verdict where there is one, else itself.
  std::exception_ptr cause_of(const std::exception_ptr& failure) const;

  // Ends all processes of the job, within seconds and with `code` as the launcher's exit status.
  // With one rank it only makes later collectives throw and returns: the caller returns `code` from
  // main.
  void abort(ExitCode code) noexcept;

 private:
  void find_neighbours();
  void stop_where_a_test_asks();

  FlightRecord flight_;
  FlightOfThread flight_of_thread_{flight_};
  std::unique_ptr<MpiRuntime> mpi_;
  std::unique_ptr<Communicator> communicator_;
  std::unique_ptr<Watchdog> watchdog_;
  int local_rank_ = 0;
  int ranks_on_node_ = 1;
  int ranks_on_same_cores_ = 1;
};

}  // namespace rallrec::distributed
