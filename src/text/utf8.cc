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

void append_code_point(std::uint32_t code_point, std::string& text) {
  const auto push = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  const auto push_tail = [&](int shift) { push(0x80U | ((code_point >> shift) & 0x3fU)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xc0U | code_point >> 6);
    push_tail(0);
  } else if (code_point < 0x10000) {
    push(0xe0U | code_point >> 12);
    push_tail(6);
    push_tail(0);
  } else {
    push(0xf0U | code_point >> 18);
    push_tail(12);
    push_tail(6);
    push_tail(0);
  }
}

}  // namespace rallrec::text
