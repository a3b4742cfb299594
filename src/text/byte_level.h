#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace rallrec::text {

// The byte-level alphabet of GPT-2 (Radford et al. 2019): each of the 256 bytes is written as one
// printable code point, so that vocabulary files hold text. Printable Latin-1 stands for itself;
// the other bytes are U+0100, U+0101, … in byte order.
std::uint32_t byte_level_code_point(std::uint8_t byte);

// Appends the bytes that `token` (valid UTF-8 in the alphabet above) stands for. False, with
// `bytes` in an unspecified state, where a character is not of the alphabet.
bool append_byte_level_bytes(std::string_view token, std::string& bytes);

}  // namespace rallrec::text
