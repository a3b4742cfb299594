#include "text/utf8.h"

#include <gtest/gtest.h>

#include "io/utf8.h"
#include "text/byte_level.h"

namespace rallrec::text {
namespace {

TEST(Utf8, RoundTripsEveryCodePoint) {
  std::string all;
  for (std::uint32_t c = 0; c < 0x110000; ++c) {
    if (c < 0xd800 || c >= 0xe000) {
      io::append_code_point(c, all);
    }
  }
  EXPECT_TRUE(is_utf8(all));
  std::size_t position = 0;
  for (std::uint32_t c = 0; c < 0x110000; ++c) {
    if (c < 0xd800 || c >= 0xe000) {
      ASSERT_EQ(next_code_point(all, position), c);
    }
  }
  EXPECT_EQ(position, all.size());
}

TEST(ByteLevel, IsABijectionOnBytes) {
  for (int byte = 0; byte < 256; ++byte) {
    std::string token;
    io::append_code_point(byte_level_code_point(static_cast<std::uint8_t>(byte)), token);
    std::string bytes;
    ASSERT_TRUE(append_byte_level_bytes(token, bytes));
    ASSERT_EQ(bytes, std::string(1, static_cast<char>(byte)));
  }
  EXPECT_EQ(byte_level_code_point(' '), 0x120U);
  EXPECT_EQ(byte_level_code_point('\n'), 0x10aU);
  EXPECT_EQ(byte_level_code_point('A'), std::uint32_t{'A'});
  std::string bytes;
  EXPECT_FALSE(append_byte_level_bytes(" ", bytes));
  EXPECT_FALSE(append_byte_level_bytes("\xe6\x97\xa5", bytes));
}

}  // namespace
}  // namespace rallrec::text
