#include "distributed/mpi_runtime.h"

#include <mpi.h>

#include <cstdio>

namespace rallrec::distributed {

MpiRuntime::MpiRuntime() {
  int provided = MPI_THREAD_SINGLE;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided) != MPI_SUCCESS) {
    throw Error(ExitCode::kPeerLost, "MPI could not be started (MPI_Init_thread failed)");
  }
  if (provided < MPI_THREAD_SERIALIZED) {
    MPI_Finalize();
    throw_usage("this MPI was built without thread support; use one with MPI_THREAD_SERIALIZED");
  }
  MPI_Comm_size(MPI_COMM_WORLD, &size_);
}

MpiRuntime::~MpiRuntime() {
  if (!aborted_) {
    MPI_Finalize();
  }
}

void MpiRuntime::abort(ExitCode code) noexcept {
  aborted_ = true;
  std::fflush(nullptr);
  MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
}

}  // namespace rallrec::distributed
