#pragma once

#include <string_view>

namespace rallrec::text {

// Whether Python's str.isprintable is false for `character`, one code point in UTF-8: a control,
// format, private-use, unassigned or separator character other than the space (Unicode 14, as in
// CPython 3.11). Thread-safe.
bool is_unprintable(std::string_view character);

}  // namespace rallrec::text
