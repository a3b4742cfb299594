#include "distributed/profile_range.h"

#include <nvtx3/nvToolsExt.h>

namespace rallrec::distributed {

void open_range(const std::string& name) { nvtxRangePushA(name.c_str()); }

void close_range() { nvtxRangePop(); }

}  // namespace rallrec::distributed
