#pragma once

#include <vector>

namespace rallrec {

// The cores that this process may run on, by the system's numbers, ascending: those that a batch
// system or a launcher left to it. All cores where the system does not tell.
std::vector<int> allowed_cores();

}  // namespace rallrec
