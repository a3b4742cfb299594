#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rallrec::io {

// Position of the first byte that is not part of valid UTF-8 (RFC 3629: no overlong forms, no
// surrogates, at most U+10FFFF), or npos.
std::size_t find_invalid_utf8(std::string_view text);

// The text with every maximal invalid sequence replaced by U+FFFD (Unicode 15, section 3.9).
std::string repair_utf8(std::string_view text);

void append_code_point(std::uint32_t code_point, std::string& text);

// ISO 8859-1 to UTF-8: every byte is the code point of its value.
std::string latin1_to_utf8(std::string_view text);

// Windows-1252 to UTF-8: ISO 8859-1 but for the bytes 0x80 to 0x9F, of which the five that it
// leaves undefined stay the control characters of their value.
std::string windows1252_to_utf8(std::string_view text);

// A piece of a hostile file made fit for one line of an error message: in single quotes, at most 80
// bytes of it, control characters as '?', valid UTF-8.
std::string shown(std::string_view text);

}  // namespace rallrec::io
