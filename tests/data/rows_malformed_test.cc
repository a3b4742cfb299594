#include <gtest/gtest.h>

#include "data/datasets/amazon.h"
#include "data/datasets/atomic.h"
#include "data/datasets/atomic_fields.h"
#include "tests/support/malformed.h"

namespace rallrec::data {
namespace {

using testing::expect_refused;
using testing::is_refused;
using testing::Malformed;
using testing::record_refused;
using testing::TemporaryFolder;

constexpr const char* kInterHeader =
    "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";

// A good row, then this one.
std::string inter(const std::string& row) {
  return std::string(kInterHeader) + "u1\ti1\t3\t9\n" + row + "\n";
}

std::vector<Malformed> header_cases() {
  return {
      {"empty", "", ":1:1: the file is empty or starts with an empty line; expected a header"},
      {"no header", "u1\ti1\t3\t9\n", ":1:1: 'u1' has no kind; expected a header such as"},
      {"commas", "user_id:token,item_id:token\nu1,i1\n", ":1:1: there is no column user_id"},
      {"blanks", "user_id:token item_id:token\nu1 i1\n", ":1:1: there is no column user_id"},
      {"capital letters", "User_id:token\titem_id:token\n", ":1:1: there is no column user_id"},
      {"no item", "user_id:token\trating:float\n", ":1:1: there is no column item_id"},
      {"unknown kind", "user_id:token\titem_id:word\n", ":1:15: 'word' is not one of token,"},
      {"no kind", "user_id\titem_id:token\n", ":1:1: 'user_id' has no kind"},
      {"column twice", "user_id:token\titem_id:token\tuser_id:token\n",
       "'user_id' occurs more than"},
      {"line ends of old Macs", "user_id:token\titem_id:token\ru1\ti1\r",
       ":1:15: 'token?u1' is not one of token, token_seq, float, float_seq"},
      {"NUL byte", std::string("user_id:token\titem_id:to\0en\n", 28),
       ":1:15: 'to?en' is not one of"},
      {"UTF-16", "\xFF\xFEu", ":1:1: the header is not UTF-8"},
  };
}

std::vector<Malformed> inter_cases() {
  return {
      {"cut off", inter("u2\ti"), ":3:1: expected 4 fields, found 2"},
      {"a tab too many", inter("u2\ti2\t3\t9\t"), ":3:1: expected 4 fields, found 5"},
      {"commas in one row", inter("u2,i2,3,9"), ":3:1: expected 4 fields, found 1"},
      {"header twice", std::string(kInterHeader) + kInterHeader,
       ":2:29: rating: expected a number"},
      {"no user", inter("\ti2\t3\t9"), ":3:1: user_id is empty"},
      {"no item", inter("u2\t\t3\t9"), ":3:4: item_id is empty"},
      {"no rating", inter("u2\ti2\t\t9"), ":3:7: rating: expected a number, found ''"},
      {"decimal comma", inter("u2\ti2\t3,5\t9"), ":3:7: rating: expected a number, found '3,5'"},
      {"NaN", inter("u2\ti2\tnan\t9"), ":3:7: rating: expected a number, found 'nan'"},
      {"infinity", inter("u2\ti2\tinf\t9"), ":3:7: rating: expected a number, found 'inf'"},
      {"above a float", inter("u2\ti2\t1e39\t9"), ":3:7: rating: too large for a 32-bit float"},
      {"date", inter("u2\ti2\t3\t2020-01-01"), ":3:9: timestamp: expected a number, found '2020-"},
      {"time before 1970", inter("u2\ti2\t3\t-9"), ":3:9: timestamp: expected a number from 0"},
      {"time above 64 bits", inter("u2\ti2\t3\t99999999999999999999"),
       ":3:9: timestamp: expected an integer of 64 bits"},
      {"NUL byte", inter(std::string("u\0\ti2\t3\t9", 9)), ":3:2: a NUL byte is not allowed"},
      {"Latin-1", inter("caf\xE9\ti2\t3\t9"), ":3:4: not valid UTF-8; is the file in another"},
      {"mark of a joined file", inter("\xEF\xBB\xBFu2\ti2\t3\t9"),
       ":3:1: a byte order mark inside"},
  };
}

std::vector<Malformed> item_cases() {
  const std::string header = "item_id:token\tprice:float\tsizes:float_seq\n";
  return {
      {"id twice", header + "i1\t1\t\ni1\t2\t\n", ":3:1: item_id: i1 occurs more than once"},
      {"no id", header + "\t1\t\n", ":2:1: item_id is empty"},
      {"text for a number", header + "i1\tmany\t\n",
       ":2:4: price: expected a finite number, found"},
      {"NaN", header + "i1\tnan\t\n", ":2:4: price: expected a finite number, found 'nan'"},
      {"bad member of a list", header + "i1\t1\t2 x 3\n", ":2:6: sizes: expected a finite number"},
      {"other header", "id:token\tprice:float\n", ":1:1: there is no column item_id"},
  };
}

// The second line of metadata as Python wrote it.
std::string python(const std::string& line) {
  return "{'asin': 'A1', 'title': 'x'}\n" + line + "\n";
}

std::vector<Malformed> python_cases() {
  const std::string literal = "expected a literal";
  return {
      {"cut off in a text", python("{'asin': 'A2', 'rel"), ":2:20: a text is not closed"},
      {"cut off in a list", python("{'asin': 'A2', 'categories': [['Books'"),
       "expected ',' or ']'"},
      {"first line broken", "{'asin': 'A1', 'title\n", ":1: unknown layout: the first line names"},
      {"JSON among them", python("{\"asin\": \"A2\", \"title\": null}"),
       ":2:25: expected a literal"},
      {"a call", python("{'asin': __import__('os')}"), ":2:10: " + literal},
      {"infinity", python("{'asin': 'A2', 'price': inf}"), ":2:25: " + literal},
      {"bytes", python("{'asin': b'A2'}"), ":2:10: " + literal},
      {"a formatted text", python("{'asin': f'A2'}"), ":2:10: " + literal},
      {"a sum", python("{'asin': 'A' + 'B'}"), ":2:14: expected ',' or '}'"},
      {"texts side by side", python("{'asin': 'A' 'B'}"), ":2:14: expected ',' or '}'"},
      {"a set", python("{'A2'}"), ":2:6: expected ':' after a key"},
      {"key that is a number", python("{1: 'A2'}"), ":2:2: " + literal},
      {"a complex number", python("{'asin': 'A2', 'price': 1j}"), ":2:26: expected ',' or '}'"},
      {"hexadecimal", python("{'asin': 'A2', 'price': 0x10}"), ":2:26: expected ',' or '}'"},
      {"above a double", python("{'asin': 'A2', 'price': 1e999}"),
       ":2:25: expected a number of 64"},
      {"above 64 bits", python("{'asin': 'A2', 'price': 99999999999999999999}"),
       ":2:25: expected a number of 64 bits, found '99999999999999999999'"},
      {"three quotes", python("{'asin': '''A2'''}"), ":2:12: expected ',' or '}'"},
      {"line end in a text", python("{'asin': 'A\\\n2'}"), ":2:13: a text is not closed"},
      {"key twice", python("{'asin': 'A2', 'asin': 'A3'}"), ":2:16: key 'asin' appears twice"},
      {"a remark", python("# x"), ":2:1: " + literal},
      {"lone surrogate", python("{'asin': '\\ud800'}"), ":2:11: an escape that stands for no char"},
      {"NUL by escape", python("{'asin': '\\x00'}"),
       ":2:11: an escape that stands for no character"},
      {"deep nesting", python(std::string(100000, '[')), ":2:34: nested deeper than 32 levels"},
      {"a list", python("['A2']"), ":2:1: expected a JSON object {…}, found an array"},
      {"no item", python("{'title': 'x'}"), ":2:1: key 'asin' is missing"},
      {"item is a number", python("{'asin': 7}"),
       ":2:1: key 'asin': expected a string, found an int"},
      {"NUL byte", python(std::string("{'asin': 'A\0'}", 14)), ":2:12: a NUL byte is not allowed"},
      {"Latin-1", python("{'asin': 'caf\xE9'}"), ":2:14: not valid UTF-8"},
  };
}

std::string review(const std::string& rating, const std::string& time) {
  return R"({"reviewerID": "U", "asin": "A1", "overall": 3.0, "unixReviewTime": 5})"
         "\n"
         R"({"reviewerID": "U", "asin": "A1", "overall": )" +
         rating + R"(, "unixReviewTime": )" + time + "}\n";
}

std::vector<Malformed> review_cases() {
  const std::string unknown = ":1: unknown layout: the first line names ";
  return {
      {"gzip", "\x1F\x8B\x08 zipped", ":1:2: not valid UTF-8"},
      {"a web page", "<!DOCTYPE html>\n<html></html>\n", unknown + "'<!DOCTYPE html>'"},
      {"cut off in line 1", "{\"reviewerID\": \"U\", \"as",
       unknown + "nothing, but is '{\"reviewerID"},
      {"one object over lines", "{\n\"reviewerID\": \"U\"\n}\n", unknown + "nothing, but is '{'"},
      {"NaN", review("NaN", "5"), ":2:46: not valid JSON near"},
      {"rating is a word", review("\"five\"", "5"),
       "key 'overall': expected a number, found 'five'"},
      {"rating of ten", review("10", "5"), ":2:35: key 'overall': expected a rating from 1 to 5"},
      {"time between seconds", review("3", "5.5"),
       "'unixReviewTime': expected a whole number from"},
      {"time is a date", review("3", "\"2004-04-04\""),
       "'unixReviewTime': expected a number, found"},
  };
}

void read_amazon_file(const std::string& path) { read_amazon(path); }
void read_inter(const std::string& path) { read_atomic(path); }

TEST(RowsMalformed, AtomicHeaders) { expect_refused("shop.inter", header_cases(), 12, read_inter); }
TEST(RowsMalformed, AtomicRows) { expect_refused("shop.inter", inter_cases(), 17, read_inter); }
TEST(RowsMalformed, AmazonReviews) {
  expect_refused("reviews.json", review_cases(), 9, read_amazon_file);
}

TEST(RowsMalformed, AtomicItems) {
  expect_refused("shop.item", item_cases(), 6, [](const std::string& path) {
    IdMap items;
    std::int64_t rejected = 0;
    read_atomic_fields(path, "item_id", {}, items, rejected);
  });
}

// Beside good reviews.
TEST(RowsMalformed, PythonLiterals) {
  const TemporaryFolder folder;
  folder.put("reviews.json", review("3", "6"));
  int refused = 0;
  for (const Malformed& one : python_cases()) {
    SCOPED_TRACE(one.name);
    const std::string path = folder.put("meta_Books.json", one.bytes);
    refused += is_refused(one.code, path, one.message, [&] { read_amazon(folder.path()); });
  }
  record_refused(refused, 28);
}

}  // namespace
}  // namespace rallrec::data
