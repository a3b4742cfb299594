#include "distributed/profile_range.h"

#include <nvtx3/nvToolsExt.h>

namespace rallrec::distributed {

ProfileRange::ProfileRange(const std::string& name) { nvtxRangePushA(name.c_str()); }

ProfileRange::~ProfileRange() { nvtxRangePop(); }

}  // namespace rallrec::distributed
