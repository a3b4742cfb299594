#include "text/byte_level.h"

#include <array>

#include "text/utf8.h"

namespace rallrec::text {
namespace {

constexpr std::uint32_t kFirstSubstitute = 0x100;
constexpr std::size_t kAlphabetEnd = kFirstSubstitute + 68;

bool stands_for_itself(std::uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

struct Alphabet {
  std::array<std::uint32_t, 256> code_point{};
  std::array<int, kAlphabetEnd> byte{};

  Alphabet() {
    byte.fill(-1);
    std::uint32_t substitute = kFirstSubstitute;
    for (std::uint32_t b = 0; b < 256; ++b) {
      code_point[b] = stands_for_itself(b) ? b : substitute++;
      byte[code_point[b]] = static_cast<int>(b);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet instance;
  return instance;
}

}  // namespace

std::uint32_t byte_level_code_point(std::uint8_t byte) { return alphabet().code_point[byte]; }

bool append_byte_level_bytes(std::string_view token, std::string& bytes) {
  for (std::size_t position = 0; position < token.size();) {
    const std::uint32_t code_point = next_code_point(token, position);
    const int byte = code_point < kAlphabetEnd ? alphabet().byte[code_point] : -1;
    if (byte < 0) {
      return false;
    }
    bytes.push_back(static_cast<char>(byte));
  }
  return true;
}

}  // namespace rallrec::text
