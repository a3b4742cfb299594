#pragma once

#include "core/error.h"

namespace rallrec::distributed {

// MPI_Init_thread in the constructor, MPI_Finalize in the destructor. At most one per process. MPI
// is asked for MPI_THREAD_SERIALIZED: after construction only one thread at a time may call MPI.
class MpiRuntime {
 public:
  MpiRuntime();
  ~MpiRuntime();
  MpiRuntime(const MpiRuntime&) = delete;
  MpiRuntime& operator=(const MpiRuntime&) = delete;

  int size() const { return size_; }

  // Ends every process of the job; the launcher's exit status becomes `code`. Does not return while
  // MPI works; MPI is not finalised afterwards.
  void abort(ExitCode code) noexcept;

 private:
  int size_ = 1;
  bool aborted_ = false;
};

}  // namespace rallrec::distributed
