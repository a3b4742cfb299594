#include "io/utf8.h"

namespace rallrec::io {
namespace {

struct Sequence {
  std::size_t length;  // bytes of the sequence, or of its valid beginning (at least 1)
  bool valid;
};

unsigned byte_at(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// Bounds of the second byte, Unicode 15 table 3-7: they rule out overlong forms, surrogates and
// code points above U+10FFFF.
Sequence next_sequence(std::string_view text, std::size_t at) {
  const unsigned lead = byte_at(text, at);
  if (lead < 0x80) {
    return {1, true};
  }
  if (lead < 0xC2 || lead > 0xF4) {
    return {1, false};
  }
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  for (std::size_t i = 1; i < length; ++i) {
    if (at + i >= text.size() || byte_at(text, at + i) < low || byte_at(text, at + i) > high) {
      return {i, false};
    }
    low = 0x80;
    high = 0xBF;
  }
  return {length, true};
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const Sequence sequence = next_sequence(text, at);
    if (!sequence.valid) {
      return at;
    }
    at += sequence.length;
  }
  return std::string_view::npos;
}

std::string repair_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Sequence sequence = next_sequence(text, at);
    if (sequence.valid) {
      result.append(text.substr(at, sequence.length));
    } else {
      result += "\xEF\xBF\xBD";
    }
    at += sequence.length;
  }
  return result;
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

std::string latin1_to_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    append_code_point(static_cast<unsigned char>(c), result);
  }
  return result;
}

std::string windows1252_to_utf8(std::string_view text) {
  constexpr std::uint32_t kFrom80[32] = {
      0x20AC, 0x81,   0x201A, 0x192,  0x201E, 0x2026, 0x2020, 0x2021, 0x2C6,  0x2030, 0x160,
      0x2039, 0x152,  0x8D,   0x17D,  0x8F,   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x2DC,  0x2122, 0x161,  0x203A, 0x153,  0x9D,   0x17E,  0x178};
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    append_code_point(byte >= 0x80 && byte < 0xA0 ? kFrom80[byte - 0x80] : byte, result);
  }
  return result;
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string result = "'";
  for (const char c : repair_utf8(text.substr(0, kMost))) {
    result += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return result + (text.size() > kMost ? "…'" : "'");
}

}  // namespace rallrec::io
