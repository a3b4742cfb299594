#pragma once

#include <vector>

namespace rallrec::metrics {

// p-values of several tests adjusted for their number (Holm 1979): comparing the result with a
// level keeps the chance of any false finding below it, whatever the tests' dependence. In the
// order of `p`; each is at least its p and at most 1.
std::vector<double> holm_adjusted(const std::vector<double>& p);

}  // namespace rallrec::metrics
