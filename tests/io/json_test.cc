#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "io/json_value.h"
#include "io/json_writer.h"
#include "tests/support/expect_error.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;

TEST(ParseJson, KeepsKindsAndOrder) {
  const JsonValue value = parse_json(
      "t", R"({"s": "aäb", "i": -9223372036854775808, "u": 18446744073709551615, "d": 1.5e3,
             "b": true, "n": null, "a": [1, [2], {"x": []}]})");
  EXPECT_EQ(*value.find("s")->string(),
            "a\xC3\xA4"
            "b");
  EXPECT_EQ(*value.find("i")->integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(value.find("u")->integer(), nullptr);
  double number = 0;
  EXPECT_TRUE(value.find("u")->number(&number));
  EXPECT_EQ(number, 18446744073709551615.0);
  EXPECT_TRUE(value.find("d")->number(&number));
  EXPECT_EQ(number, 1500.0);
  EXPECT_TRUE(*value.find("b")->boolean());
  EXPECT_TRUE(value.find("n")->is_null());
  EXPECT_EQ(value.find("a")->array()->size(), 3u);
  EXPECT_EQ(value.find("missing"), nullptr);
  EXPECT_EQ(to_json(value),
            R"({"s": "aäb", "i": -9223372036854775808, "u": 18446744073709551615, "d": 1500, )"
            R"("b": true, "n": null, "a": [1, [2], {"x": []}]})");
}

TEST(ParseJson, RefusesWithPlaceAndReason) {
  const std::string deep = std::string(66, '[') + std::string(66, ']');
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "t:1:1: the JSON text ends too early"},
      {"{", "ends too early"},
      {"{\"a\": 1,\n \"b\": x}", "t:2:7: not valid JSON near"},
      {"{\"a\": 1} {}", "t:1:10"},
      {"{'a': 1}", "t:1:2"},
      {"[1,]", "t:1:4"},
      {"[01]", "t:1:3"},
      {"[NaN]", "t:1:2"},
      {"[1e999]", "not valid JSON"},
      {"[18446744073709551616]", "not valid JSON"},
      {"\"a\tb\"", "not valid JSON"},
      {std::string("{\"a\": \"x\0y\"}", 12), "t:1:9: a NUL byte"},
      {"{\"a\": \"x\\u0000y\"}", "t:1:9: NUL"},
      {"[\"\\ud800\"]", "t:1:3: a lone surrogate"},
      {"[\"\\udc00\"]", "lone surrogate"},
      {"[\"\\ud800x\\udc00\"]", "lone surrogate"},
      {"[\"\\ud800\\ud800\\udc00\"]", "lone surrogate"},
      {"[\"\\udc00\\ud800\"]", "lone surrogate"},
      {"[\"ab\x80\"]", "t:1:5: not valid UTF-8"},
      {"[\"\xED\xA0\x80\"]", "not valid UTF-8"},
      {"{\"a\": 1, \"b\": {\"c\": 1, \"c\": 2}}", "key 'c' appears twice"},
      {"{\"a\": 1, \"\\u0061\": 2}", "key 'a' appears twice"},
      {deep, "nested deeper than 64"},
      {std::string(100000, '['), "nested deeper than 64"},
  };
  for (const auto& [text, message] : cases) {
    expect_error(ExitCode::kBadData, message, [&, json = text] { parse_json("t", json); });
  }
}

TEST(ParseJson, AcceptsSurrogatePairsAndEscapedBackslashes) {
  EXPECT_EQ(*parse_json("t", R"("\ud83d\ude00")").string(), "\xF0\x9F\x98\x80");
  EXPECT_EQ(*parse_json("t", R"("\\ud800 \\u0000")").string(), R"(\ud800 \u0000)");
  EXPECT_EQ(parse_json("t", std::string(64, '[') + std::string(64, ']')).array()->size(), 1u);
}

TEST(ParseJson, ManyMembersAreCheckedForRepeats) {
  std::string text = "{";
  for (int i = 0; i < 1000; ++i) {
    text += "\"k" + std::to_string(i) + "\": 0, ";
  }
  EXPECT_EQ(parse_json("t", text + "\"last\": 0}").object()->size(), 1001u);
  expect_error(ExitCode::kBadData, "key 'k17' appears twice",
               [&] { parse_json("t", text + "\"k17\": 0}"); });
}

TEST(JsonWriter, EscapesAndRepairs) {
  EXPECT_EQ(to_json(std::string_view("a\"\\\n\r\t\x01\x1f/\x7f", 10)),
            "\"a\\\"\\\\\\n\\r\\t\\u0001\\u001f/\x7f\"");
  EXPECT_EQ(to_json(std::string_view("\0", 1)), "\"\\u0000\"");
  EXPECT_EQ(to_json(std::string_view("x\xFFy")), "\"x\xEF\xBF\xBDy\"");
  EXPECT_EQ(to_json(std::string_view("\xF0\x9F\x98\x80")), "\"\xF0\x9F\x98\x80\"");
}

TEST(JsonWriter, NumbersReadBackToTheSameBits) {
  for (const double value : {0.1, -0.0, 1e300, 5e-324, 123456789.123456789, 1.0 / 3, 1e21}) {
    double back = 0;
    ASSERT_TRUE(parse_json("t", to_json(value)).number(&back));
    EXPECT_EQ(back, value);
  }
  for (const float value : {0.1f, 3.4e38f, 1.17549435e-38f, 1.0f / 3}) {
    EXPECT_EQ(std::stof(to_json(value)), value);
  }
  EXPECT_EQ(to_json(std::nan("")), "null");
  EXPECT_EQ(to_json(std::numeric_limits<float>::infinity()), "null");
}

TEST(JsonWriter, Objects) {
  EXPECT_EQ(JsonObjectWriter().text(), "{}");
  JsonObjectWriter object;
  object.add("step", 3)
      .add("loss", 0.5)
      .add("ok", true)
      .add("name", "x\"y")
      .add("n", std::uint8_t{7});
  object.add("ids", std::vector<std::int64_t>{1, 2})
      .add("words", std::vector<std::string>{"a", "b"});
  object.add("none", std::vector<double>{}).add("flags", std::vector<bool>{true, false});
  EXPECT_EQ(object.text(),
            R"({"step": 3, "loss": 0.5, "ok": true, "name": "x\"y", "n": 7, "ids": [1, 2], )"
            R"("words": ["a", "b"], "none": [], "flags": [true, false]})");
  const JsonValue source = parse_json("t", R"({"input": "i", "score": 1, "user": 2})");
  JsonObjectWriter carried;
  carried.add_members(*source.object(), {"score"}).add("score", 0.25);
  EXPECT_EQ(carried.text(), R"({"input": "i", "user": 2, "score": 0.25})");
}

}  // namespace
}  // namespace rallrec::io
