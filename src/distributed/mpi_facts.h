#pragma once

#include <string>

namespace rallrec::distributed {

// What the MPI library says of itself. May be asked at any time, by any thread.
struct MpiFacts {
  std::string library;  // "Open MPI v4.1.4, …", its first words
  bool cuda_aware = false;
};
MpiFacts mpi_facts();

}  // namespace rallrec::distributed
