#pragma once

#include <string>

namespace rallrec {

// The name of the machine this process runs on; "unknown" where the system does not tell it.
std::string host_name();

}  // namespace rallrec
