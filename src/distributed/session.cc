#include "distributed/session.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "core/allowed_cores.h"
#include "core/host_name.h"
#include "distributed/local_communicator.h"
#include "distributed/mpi_communicator.h"
#include "distributed/mpi_runtime.h"
#include "distributed/start_guard.h"

namespace rallrec::distributed {
namespace {

// The config is read later. RALLREC_START_LIMIT is in seconds; a job of thousands of ranks takes
// a minute at worst.
std::chrono::duration<double> start_limit() {
  const char* const text = std::getenv("RALLREC_START_LIMIT");
  const double seconds = text == nullptr ? 0.0 : std::atof(text);
  return std::chrono::duration<double>(seconds > 0.0 ? seconds : 300.0);
}

}  // namespace

Session::Session(const LaunchEnvironment& environment) {
  std::unique_ptr<StartGuard> guard;
  if (environment.needs_mpi()) {
    check_connection(environment);
    guard = std::make_unique<StartGuard>(launched_rank(), start_limit());
    guard->next("MPI_Init");
    mpi_ = std::make_unique<MpiRuntime>();
    check_world_size(environment, mpi_->size());
  }
  if (mpi_ != nullptr && mpi_->size() > 1) {
    guard->next("duplicating MPI's communicator");
    communicator_ = make_mpi_communicator();
    guard->next("the first exchange between the ranks");
    find_neighbours();
  } else {
    communicator_ = std::make_unique<LocalCommunicator>();
  }
}

Session::~Session() = default;

// "RANK:PHASE:COUNT"; tests stop a rank in the middle of what they name.
void Session::stop_where_a_test_asks() {
  const char* const text = std::getenv("RALLREC_TEST_STOP");
  int rank = -1;
  int count = 0;
  char phase[16] = {};
  if (text == nullptr || std::sscanf(text, "%d:%15[a-z]:%d", &rank, phase, &count) != 3 ||
      rank != communicator_->rank()) {
    return;
  }
  for (auto known = Phase::kStart; known != Phase::kEnd;
       known = static_cast<Phase>(static_cast<int>(known) + 1)) {
    if (std::string(name_of(known)) == phase) {
      flight_.stop_at(known, count);
    }
  }
}

void Session::find_neighbours() {
  const std::vector<std::string> hosts = all_gather_strings(*communicator_, host_name());
  const std::string my_cores = allowed_cores_text();
  const std::vector<std::string> cores = all_gather_strings(*communicator_, my_cores);
  const auto me = static_cast<std::size_t>(communicator_->rank());
  ranks_on_node_ = 0;
  ranks_on_same_cores_ = 0;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    if (hosts[rank] == hosts[me]) {
      ++ranks_on_node_;
      ranks_on_same_cores_ += cores[rank] == my_cores ? 1 : 0;
      local_rank_ += rank < me ? 1 : 0;
    }
  }
}

void Session::watch(WatchdogOptions options) {
  if (communicator_->size() > 1 && options.limits.timeout > 0.0) {
    watchdog_ = std::make_unique<Watchdog>(*communicator_, flight_, std::move(options));
    stop_where_a_test_asks();
  }
}

void Session::finish() {
  if (watchdog_ != nullptr) {
    flight_.phase(Phase::kEnd, -1);
    communicator_->barrier();
    watchdog_.reset();
  }
}

std::exception_ptr Session::cause_of(const std::exception_ptr& failure) const {
  const std::optional<Verdict> verdict = watchdog_ == nullptr ? std::nullopt : watchdog_->verdict();
  return verdict ? std::make_exception_ptr(Error(verdict->code, verdict->text)) : failure;
}

void Session::abort(ExitCode code) noexcept {
  communicator_->abort();
  watchdog_.reset();
  if (mpi_ != nullptr && communicator_->size() > 1) {
    // The communication thread must have ended before this thread calls MPI.
    communicator_.reset();
    mpi_->abort(code);
  }
}

}  // namespace rallrec::distributed
