#pragma once

#include <string>

namespace rallrec::pipeline {

// Keeps two jobs out of one run folder: the file run.lock, created exclusively, with host, process
// and job. A lock whose process has ended on this host is taken over; any other is refused by Error
// (usage) that names its owner. So is that of an earlier life of this Slurm job, which a requeue
// has brought to another node. Held by rank 0 only.
class RunLock {
 public:
  explicit RunLock(const std::string& run_dir);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::string path_;
};

// Removes the locks that this process holds, if any. Safe in a signal handler.
void remove_held_locks() noexcept;

}  // namespace rallrec::pipeline
