#include <gtest/gtest.h>

#include "io/jsonl.h"
#include "tests/support/malformed.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_refused;
using rallrec::testing::Malformed;

// The second of three lines, between good ones.
std::string second(const std::string& line) {
  return "{\"input\": \"a\"}\n" + line + "\n{\"input\": \"c\"}\n";
}
std::string labelled(const std::string& label) {
  return second("{\"input\": \"b\", \"label\": " + label + "}");
}

std::vector<Malformed> syntax_cases() {
  return {
      {"cut off in a text", "{\"input\": \"a\"}\n{\"input\": \"b", ":2:13: the JSON text ends"},
      {"cut off before the brace", "{\"input\": \"a\"", ":1:14: the JSON text ends too early"},
      {"trailing comma", second("{\"input\": \"b\",}"), ":2:15: not valid JSON near"},
      {"single quotes", second("{'input': 'b'}"), ":2:2: not valid JSON near"},
      {"comment", second("// a remark"), ":2:1: not valid JSON near"},
      {"two objects on a line", second("{\"input\": \"b\"} {\"input\": \"b\"}"),
       ":2:16: not valid"},
      {"comma between lines", second("{\"input\": \"b\"},"), ":2:15: not valid JSON near"},
      {"one object over lines", "{\n  \"input\": \"a\"\n}\n", ":1:2: the JSON text ends too early"},
      {"line ends of old Macs", "{\"input\": \"a\"}\r{\"input\": \"b\"}\r",
       ":1:16: not valid JSON"},
      {"a web page", "<!DOCTYPE html>\n<html></html>\n", ":1:1: not valid JSON near '<'"},
      {"a table", "input\toutput\na\tb\n", ":1:1: not valid JSON near 'i'"},
      {"gzip", "\x1F\x8B\x08 zipped", ":1:2: not valid UTF-8"},
      {"an array per line", second("[\"b\"]"), ":2:1: expected a JSON object {…}, found an array"},
      {"a text per line", second("\"b\""), ":2:1: expected a JSON object {…}, found a string"},
      {"null", second("null"), ":2:1: expected a JSON object {…}, found null"},
      {"deep nesting", second(std::string(100000, '[')), ":2:1: nested deeper than 64 levels"},
  };
}

std::vector<Malformed> text_cases() {
  return {
      {"UTF-16", std::string("\xFF\xFE{\0}\0\n\0", 8), ":1:1: not valid UTF-8"},
      {"Latin-1", second("{\"input\": \"caf\xE9\"}"), ":2:15: not valid UTF-8"},
      {"cut character", second("{\"input\": \"\xE2\x82\"}"), ":2:12: not valid UTF-8"},
      {"NUL byte", second(std::string("{\"input\": \"a\0b\"}", 16)), ":2:13: a NUL byte"},
      {"NUL by escape", second("{\"input\": \"\\u0000\"}"), ":2:12: NUL (\\u0000) is not allowed"},
      {"lone surrogate", second("{\"input\": \"\\ud83d\"}"), ":2:12: a lone surrogate"},
      {"tab in a text", second("{\"input\": \"a\tb\"}"), ":2:13: not valid JSON near"},
      {"unknown escape", second("{\"input\": \"C:\\data\"}"), ":2:15: not valid JSON near"},
      {"mark of a joined file", second("\xEF\xBB\xBF{\"input\": \"b\"}"), ":2:1: "},
  };
}

std::vector<Malformed> value_cases() {
  return {
      {"NaN", labelled("NaN"), ":2:25: not valid JSON near"},
      {"infinity", labelled("-Infinity"), ":2:26: not valid JSON near"},
      {"above a double", labelled("1e999"), ":2:29: not valid JSON near '1e999'"},
      {"above 64 bits", labelled("99999999999999999999"), ":2:1: not valid JSON"},
      {"above 63 bits", labelled("9223372036854775808"), "found an integer above 2^63 - 1"},
      {"leading zero", labelled("01"), ":2:26: not valid JSON near"},
      {"fraction", labelled("1.0"), ":2:16: key 'label': expected an integer of 64 bits, found a"},
      {"number as text", labelled("\"1\""),
       "key 'label': expected an integer of 64 bits, found a s"},
      {"true for one", labelled("true"), "key 'label': expected an integer of 64 bits, found true"},
      {"key missing", second("{\"text\": \"b\"}"), ":2:1: key 'input' is missing"},
      {"key twice", second("{\"input\": \"b\", \"input\": \"c\"}"), "key 'input' appears twice"},
      {"null text", second("{\"input\": null}"),
       ":2:2: key 'input': expected a string, found null"},
      {"list for a text", second("{\"input\": [\"b\"]}"), "expected a string, found an array"},
  };
}

void read(const std::string& path) {
  for_each_record(path, {}, [](const JsonRecord& record) {
    record.get_string("input");
    if (record.has("label")) {
      record.get_int("label");
    }
  });
}

TEST(JsonlMalformed, Syntax) { expect_refused("rows.jsonl", syntax_cases(), 16, read); }
TEST(JsonlMalformed, Texts) { expect_refused("rows.jsonl", text_cases(), 9, read); }
TEST(JsonlMalformed, Values) { expect_refused("rows.jsonl", value_cases(), 13, read); }

}  // namespace
}  // namespace rallrec::io
