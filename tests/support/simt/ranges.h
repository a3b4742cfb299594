#pragma once

#include <string>
#include <vector>

namespace rallrec::simt {

// The NVTX ranges that this thread has closed since the last call, in the order they were opened:
// "outer/inner" where one lay in another.
std::vector<std::string> take_ranges();

}  // namespace rallrec::simt
