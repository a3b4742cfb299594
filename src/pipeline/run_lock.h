#pragma once

#include <string>

namespace rallrec::pipeline {

// Keeps two jobs out of one run folder: the file run.lock, created exclusively, with host, process
// and job. A lock whose process has ended on this host is taken over; any other is refused by Error
// (usage) that names its owner. Held by rank 0 only.
class RunLock {
 public:
  explicit RunLock(const std::string& run_dir);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  std::string path_;
};

}  // namespace rallrec::pipeline
