#include "distributed/mpi_facts.h"

#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

#include <array>

namespace rallrec::distributed {

MpiFacts mpi_facts() {
  MpiFacts facts;
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  if (MPI_Get_library_version(text.data(), &length) == MPI_SUCCESS) {
    facts.library.assign(text.data(), static_cast<std::size_t>(length));
    facts.library.resize(facts.library.find_first_of(",\n") == std::string::npos
                             ? facts.library.size()
                             : facts.library.find_first_of(",\n"));
  }
#ifdef MPIX_CUDA_AWARE_SUPPORT
  facts.cuda_aware = MPIX_Query_cuda_support() == 1;
#endif
  return facts;
}

}  // namespace rallrec::distributed
