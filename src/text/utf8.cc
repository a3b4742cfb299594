#include "text/utf8.h"

#include <simdjson.h>

namespace rallrec::text {
bool is_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

std::uint32_t next_code_point(std::string_view text, std::size_t& position) {
  const auto byte = [&] { return static_cast<std::uint8_t>(text[position++]); };
  const std::uint32_t first = byte();
  if (first < 0x80) {
    return first;
  }
  const int continuations = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
  std::uint32_t code_point = first & (0x3fU >> continuations);
  for (int i = 0; i < continuations; ++i) {
    code_point = code_point << 6 | (byte() & 0x3fU);
  }
  return code_point;
}

}  // namespace rallrec::text
