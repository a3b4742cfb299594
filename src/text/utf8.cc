#include "text/utf8.h"

#include <simdjson.h>

namespace rallrec::text {
namespace {

struct Part {
  std::size_t size = 1;
  bool valid = false;
};

struct LeadByte {
  int continuations = 0;
  // Range of the first continuation byte; the others are always 80..BF.
  std::uint8_t low = 0x80;
  std::uint8_t high = 0xbf;
};

// Table 3-7 of The Unicode Standard: continuations is 0 where `byte` cannot start a longer
// character.
LeadByte lead_byte(std::uint8_t byte) {
  if (byte >= 0xc2 && byte <= 0xdf) {
    return {1};
  }
  if (byte >= 0xe0 && byte <= 0xef) {
    return {2, static_cast<std::uint8_t>(byte == 0xe0 ? 0xa0 : 0x80),
            static_cast<std::uint8_t>(byte == 0xed ? 0x9f : 0xbf)};
  }
  if (byte >= 0xf0 && byte <= 0xf4) {
    return {3, static_cast<std::uint8_t>(byte == 0xf0 ? 0x90 : 0x80),
            static_cast<std::uint8_t>(byte == 0xf4 ? 0x8f : 0xbf)};
  }
  return {};
}

// The character, or the maximal part of one, that starts at `position`.
Part part_at(std::string_view bytes, std::size_t position) {
  const auto first = static_cast<std::uint8_t>(bytes[position]);
  if (first < 0x80) {
    return {1, true};
  }
  LeadByte lead = lead_byte(first);
  std::size_t size = 1;
  for (; lead.continuations > 0 && position + size < bytes.size(); ++size, --lead.continuations) {
    const auto byte = static_cast<std::uint8_t>(bytes[position + size]);
    if (byte < lead.low || byte > lead.high) {
      return {size, false};
    }
    lead.low = 0x80;
    lead.high = 0xbf;
  }
  return {size, size > 1 && lead.continuations == 0};
}

}  // namespace

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

std::string replace_invalid_utf8(std::string_view bytes) {
  if (is_utf8(bytes)) {
    return std::string(bytes);
  }
  std::string text;
  text.reserve(bytes.size() + 16);
  for (std::size_t position = 0; position < bytes.size();) {
    const Part part = part_at(bytes, position);
    if (part.valid) {
      text.append(bytes.substr(position, part.size));
    } else {
      append_code_point(0xfffd, text);
    }
    position += part.size;
  }
  return text;
}

}  // namespace rallrec::text
