#pragma once

#include <string>

namespace rallrec::distributed {

// For ProfileRange alone.
void open_range(const std::string& name);
void close_range();

// A range of this thread's time under a name, for a profiler (NVTX); ranges nest. Who computes
// names layer and phase ("layer 7 forward"), the NCCL communicator the collective within. In builds
// without CUDA there is no profiler to tell, and nothing happens.
class ProfileRange {
 public:
  explicit ProfileRange(const std::string& name) { open_range(name); }
  ~ProfileRange() { close_range(); }
  ProfileRange(const ProfileRange&) = delete;
  ProfileRange& operator=(const ProfileRange&) = delete;
};

}  // namespace rallrec::distributed
