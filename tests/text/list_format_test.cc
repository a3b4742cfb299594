#include "text/list_format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "io/utf8.h"
#include "tests/support/expect_error.h"
#include "text/unprintable.h"

namespace rallrec::text {
namespace {

// Expected texts are what CPython 3.11's repr() prints.
TEST(ListFormat, WritesStringsAsPythonDoes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "''"},
      {"plain", "'plain'"},
      {"a'b", "\"a'b\""},
      {"a\"b", "'a\"b'"},
      {"a'b\"", "'a\\'b\"'"},
      {"a\\b", "'a\\\\b'"},
      {std::string("\t\n\r\0\x7f", 5), "'\\t\\n\\r\\x00\\x7f'"},
      {"\u0080\u00a0\u00ad", "'\\x80\\xa0\\xad'"},
      {"é 日本 😀", "'é 日本 😀'"},
      {"\u200b\u2028\ue000\U000e0001\U0010ffff", "'\\u200b\\u2028\\ue000\\U000e0001\\U0010ffff'"}};
  for (const auto& [text, repr] : cases) {
    EXPECT_EQ(python_repr(text), repr);
  }
}

TEST(ListFormat, WritesThePublishedPythonList) {
  const std::string title = "A Child Called \\It\\\": One Child's Courage to Survive\"";
  EXPECT_EQ(format_list({title + " (9 stars)"}, ListFormat::kPython),
            "['A Child Called \\\\It\\\\\": One Child\\'s Courage to Survive\" (9 stars)']");
  EXPECT_EQ(format_list({"A (4 stars)", "It's B (5 stars)"}, ListFormat::kPython),
            "['A (4 stars)', \"It's B (5 stars)\"]");
  EXPECT_EQ(format_list({}, ListFormat::kPython), "[]");
}

TEST(ListFormat, WritesJsonAndPlainLists) {
  const std::vector<std::string> elements = {"A \"x\" \\ é", "It's B", "tab\t"};
  EXPECT_EQ(nlohmann::json::parse(format_list(elements, ListFormat::kJson)),
            nlohmann::json(elements));
  EXPECT_EQ(format_list(elements, ListFormat::kPlain), "A \"x\" \\ é; It's B; tab\t");
  EXPECT_EQ(format_list({}, ListFormat::kPlain), "");
  EXPECT_EQ(list_format_from("json"), ListFormat::kJson);
  rallrec::testing::expect_error(ExitCode::kUsage, "prompt.list_format",
                                 [] { list_format_from("xml"); });
}

// Count and hash of all code points for which CPython 3.11's str.isprintable() is false.
TEST(Unprintable, AgreesWithPythonOnEveryCodePoint) {
  std::uint64_t count = 0;
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (std::uint32_t c = 0; c < 0x110000; ++c) {
    std::string character;
    io::append_code_point(c, character);
    if ((c < 0xd800 || c >= 0xe000) && is_unprintable(character)) {
      ++count;
      hash = (hash ^ c) * 0x100000001b3ULL;
    }
  }
  EXPECT_EQ(count, 967548U);
  EXPECT_EQ(hash, 0x981c34063f8345d9ULL);
}

}  // namespace
}  // namespace rallrec::text
