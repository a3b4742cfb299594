#pragma once

#include <cstdint>
#include <vector>

#include "io/input_file.h"

namespace rallrec::io {

// Cuts a plain file into `parts` contiguous parts of about equal size that begin at line starts:
// part p is [cuts[p], cuts[p + 1]). Reads a few blocks near each cut. A part may be empty.
std::vector<std::uint64_t> cut_at_lines(const InputFile& file, int parts);

// Line ends in [begin, end).
std::uint64_t count_line_ends(const InputFile& file, std::uint64_t begin, std::uint64_t end);

}  // namespace rallrec::io
