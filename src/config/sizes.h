#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace rallrec::config {

// "128-64" as {128, 64}: sizes of layers. Empty where the text is not one whole number from 1 to
// 65536 or several with a hyphen between two.
std::vector<std::int64_t> read_sizes(const std::string& text);

}  // namespace rallrec::config
