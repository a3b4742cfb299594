#include "io/python_literal.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace rallrec::io {
namespace {

JsonValue parsed(const std::string& text) {
  JsonValue value;
  JsonParser::Problem problem;
  EXPECT_TRUE(parse_python_literal(text, &value, &problem)) << text << ": " << problem.message;
  return value;
}

std::string text_of(const std::string& text) {
  const JsonValue value = parsed(text);
  return value.string() == nullptr ? "no text" : *value.string();
}

TEST(PythonLiteral, ReadsEveryKind) {
  const JsonValue value = parsed(
      " {'a': 'x', \"b\": [1, -2.5, (), (True, None,)], 'c': {}, 'd': 12345678901, 'e': +1e3,}\n");
  EXPECT_EQ(*value.find("a")->string(), "x");
  const JsonValue::Array& list = *value.find("b")->array();
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(*list[0].integer(), 1);
  double number = 0;
  EXPECT_TRUE(list[1].number(&number));
  EXPECT_EQ(number, -2.5);
  EXPECT_TRUE(list[2].array()->empty());
  EXPECT_TRUE(*list[3].array()->at(0).boolean());
  EXPECT_TRUE(list[3].array()->at(1).is_null());
  EXPECT_TRUE(value.find("c")->object()->empty());
  EXPECT_EQ(*value.find("d")->integer(), 12345678901);
  EXPECT_TRUE(value.find("e")->number(&number));
  EXPECT_EQ(number, 1000);
}

// As CPython's ast.literal_eval reads them.
TEST(PythonLiteral, ReadsTexts) {
  EXPECT_EQ(text_of(R"('it\'s "so"')"), "it's \"so\"");
  EXPECT_EQ(text_of(R"("it's")"), "it's");
  EXPECT_EQ(text_of(R"('a\tb\n\\ \q')"), "a\tb\n\\ \\q");
  EXPECT_EQ(text_of(R"('\xe9\u20ac\U0001F600\101')"),
            "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"
            "A");
  EXPECT_EQ(text_of("u'caf\xC3\xA9'"), "caf\xC3\xA9");
  EXPECT_EQ(text_of("''"), "");
}

TEST(PythonLiteral, RefusesEverythingElse) {
  const std::tuple<std::string, std::size_t, const char*> cases[] = {
      {"", 0, "ends too early"},
      {"open('x')", 0, "expected a literal"},
      {"{'a': __import__('os')}", 6, "expected a literal"},
      {"['a' 'b']", 5, "expected ','"},
      {"{'a' 1}", 5, "expected ':'"},
      {"{1: 2}", 1, "expected a literal"},
      {"{'a': 1, 'a': 2}", 9, "appears twice"},
      {"[1", 2, "expected ',' or ']'"},
      {"'abc", 4, "not closed"},
      {"'abc\\", 5, "not closed"},
      {"1 2", 2, "expected the end"},
      {"1e999", 0, "a number of 64 bits"},
      {"1+1", 0, "a number of 64 bits"},
      {R"('\ud800')", 1, "no character"},
      {R"('\x0')", 1, "no character"},
      {R"('\0')", 1, "no character"},
      {R"('\U00110000')", 1, "no character"},
      {std::string(33, '[') + std::string(33, ']'), 33, "nested deeper"},
      {std::string(100000, '['), 33, "nested deeper"}};
  for (const auto& [text, at, message] : cases) {
    JsonValue value;
    JsonParser::Problem problem;
    EXPECT_FALSE(parse_python_literal(text, &value, &problem)) << text;
    EXPECT_EQ(problem.at, at) << text.substr(0, 40);
    EXPECT_NE(problem.message.find(message), std::string::npos) << text << ": " << problem.message;
  }
}

// Whatever stands there, the parser ends inside the text, with a value or with a problem.
TEST(PythonLiteral, SurvivesMutations) {
  const std::string seed = R"({'a': ['x\'\x41\u20ac', (1, -2.5e3), {"b": None}], 'c': True})";
  Rng rng(17);
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string text = seed;
    for (std::uint64_t k = 0; k <= rng.next_below(4); ++k) {
      const std::size_t at = rng.next_below(text.size());
      if (rng.next_below(3) == 0) {
        text.erase(at, 1 + rng.next_below(5));
      } else {
        text[at] = static_cast<char>(32 + rng.next_below(95));
      }
    }
    JsonValue value;
    JsonParser::Problem problem;
    if (parse_python_literal(text, &value, &problem)) continue;
    ++refused;
    ASSERT_LE(problem.at, text.size()) << text;
    ASSERT_NE(problem.message, "") << text;
  }
  EXPECT_GT(refused, 1000);
  EXPECT_LT(refused, 20000);
}

}  // namespace
}  // namespace rallrec::io
