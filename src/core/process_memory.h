#pragma once

#include <cstdint>

namespace rallrec {

// Bytes of this process that are in memory now, and the most that were so far: VmRSS and VmHWM of
// Linux. 0 where the system does not tell.
std::int64_t resident_bytes();
std::int64_t peak_resident_bytes();

}  // namespace rallrec
