#pragma once

#include <string>
#include <vector>

namespace rallrec::io {

// Removes the files that an earlier run left under these names: where this one fails, nothing there
// is to be mistaken for its result. To be called when the command line has been found right, after
// require_place_for where a file is written. A name that is not there is fine; a link (which may be
// /dev/stdout), a pipe and a folder are left alone. One that cannot be removed is an error (74).
void remove_earlier_results(const std::vector<std::string>& paths);

}  // namespace rallrec::io
