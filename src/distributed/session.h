#pragma once

#include <memory>

#include "core/error.h"
#include "distributed/communicator.h"
#include "distributed/launch_environment.h"

namespace rallrec::distributed {

class MpiRuntime;

// The process's membership in its job. `main` owns the only one: construction initialises MPI where
// a launcher started several processes (without one MPI is never touched), destruction finalises
// it.
//
//   Session session(detect_launch_environment());
//   try { code = run(session.communicator()); }
//   catch (const Error& error) { report(error); code = error.code(); session.abort(code); }
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

  // Ends all processes of the job, within seconds and with `code` as the launcher's exit status.
  // With one rank it only makes later collectives throw and returns: the caller returns `code` from
  // main.
  void abort(ExitCode code) noexcept;

 private:
  void find_neighbours();

  std::unique_ptr<MpiRuntime> mpi_;
  std::unique_ptr<Communicator> communicator_;
  int local_rank_ = 0;
  int ranks_on_node_ = 1;
};

}  // namespace rallrec::distributed
