#pragma once

#include <string>
#include <vector>

namespace rallrec {

// The cores that this process may run on, by the system's numbers, ascending: those that a batch
// system or a launcher left to it. All cores where the system does not tell.
std::vector<int> allowed_cores();

// Their numbers with a space after each: "0 1 ".
std::string allowed_cores_text();

}  // namespace rallrec
