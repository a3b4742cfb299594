#pragma once

#include <string>
#include <vector>

namespace rallrec::simt {

// What the stand-in found wrong: in a kernel, in a call of the runtime, or at the end of a test.
// A report makes every later call of the runtime fail with cudaErrorLaunchFailure, as a fault on a
// GPU does, until take_reports() has been called. Safe from any thread.
void report(const std::string& text);

// All reports since the last call, which it forgets.
std::vector<std::string> take_reports();

// The first report that nobody has taken yet; empty where there is none.
std::string first_report();

}  // namespace rallrec::simt
