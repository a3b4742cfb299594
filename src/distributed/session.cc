#include "distributed/session.h"

#include <string>
#include <vector>

#include "core/host_name.h"
#include "distributed/local_communicator.h"
#include "distributed/mpi_communicator.h"
#include "distributed/mpi_runtime.h"

namespace rallrec::distributed {

Session::Session(const LaunchEnvironment& environment) {
  if (environment.needs_mpi()) {
    check_connection(environment);
    mpi_ = std::make_unique<MpiRuntime>();
    check_world_size(environment, mpi_->size());
  }
  if (mpi_ != nullptr && mpi_->size() > 1) {
    communicator_ = make_mpi_communicator();
    find_neighbours();
  } else {
    communicator_ = std::make_unique<LocalCommunicator>();
  }
}

Session::~Session() = default;

void Session::find_neighbours() {
  const std::vector<std::string> hosts = all_gather_strings(*communicator_, host_name());
  const auto me = static_cast<std::size_t>(communicator_->rank());
  ranks_on_node_ = 0;
  for (std::size_t rank = 0; rank < hosts.size(); ++rank) {
    if (hosts[rank] == hosts[me]) {
      ++ranks_on_node_;
      local_rank_ += rank < me ? 1 : 0;
    }
  }
}

void Session::abort(ExitCode code) noexcept {
  communicator_->abort();
  if (mpi_ != nullptr && communicator_->size() > 1) {
    // The communication thread must have ended before this thread calls MPI.
    communicator_.reset();
    mpi_->abort(code);
  }
}

}  // namespace rallrec::distributed
