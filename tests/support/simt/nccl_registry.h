#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/support/simt/nccl_communicator.h"

namespace rallrec::simt {

// All groups and communicators of the process, under the lock of nccl_clique.h.
struct NcclRegistry {
  static NcclRegistry& instance();

  std::uint64_t ids = 0;
  std::map<std::string, std::shared_ptr<Clique>> cliques;
  std::set<ncclComm_t> communicators;
};

// Under the lock: whether the communicator exists, and whether it may take a new call; a report
// that names `function` where not.
bool is_alive(ncclComm_t comm, const char* function);
bool is_idle(ncclComm_t comm, const char* function);

// Without the lock: gives operations to their streams.
void start(std::vector<ncclComm::Launch> launches);

}  // namespace rallrec::simt
