#pragma once

#include <cstdint>
#include <string_view>

namespace rallrec::text {

bool is_utf8(std::string_view bytes);

// The code point at `position`, which is moved behind it. `text` must be valid UTF-8 and `position`
// the start of a character.
std::uint32_t next_code_point(std::string_view text, std::size_t& position);

}  // namespace rallrec::text
