#include <gtest/gtest.h>

#include "io/delimited.h"
#include "tests/support/malformed.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_refused;
using rallrec::testing::Malformed;

// Rows of user, item and rating; the second is the bad one.
std::string second(const std::string& row) { return "1,a,4.5\n" + row + "\n3,c,2\n"; }

std::vector<Malformed> row_cases() {
  return {
      {"other separator", second("2\tb\t3"), ":2:1: expected 3 fields, found 1"},
      {"semicolons", "1;a;4,5\n", ":1:1: expected 3 fields, found 2"},
      {"cut off", "1,a,4.5\n2,b", ":2:1: expected 3 fields, found 2"},
      {"a field too many", second("2,b,3,"), ":2:1: expected 3 fields, found 4"},
      {"comma in a title", second("2,b, the second,3"), ":2:1: expected 3 fields, found 4"},
      {"a blank line with spaces", second("  "), ":2:1: expected 3 fields, found 1"},
      {"quote not closed", second("2,\"b,3"), ":2:3: a quoted field is not closed"},
      {"quote not doubled", second("2,\"say \"b\"\",3"),
       ":2:9: expected ',' after a closing quote"},
      {"line end in quotes", second("2,\"b\nb\",3"), ":2:3: a quoted field is not closed"},
      {"NUL byte", second(std::string("2,b\0,3", 6)), ":2:4: a NUL byte is not allowed"},
      {"Latin-1", second("2,caf\xE9,3"), ":2:6: not valid UTF-8; is the file in another"},
      {"UTF-16", std::string("\xFF\xFE\x31\0,\0", 6), ":1:4: a NUL byte"},
      {"longer than a row may be", second("2," + std::string(2000, 'b') + ",3"),
       ":2:1: the row is longer than 1000 bytes"},
      {"line ends of old Macs", "1,a,4.5\r2,b,3\r", ":1:1: expected 3 fields, found 5"},
  };
}

std::vector<Malformed> value_cases() {
  return {
      {"header among the rows", "user,item,rating\n", ":1:1: user: expected an integer"},
      {"empty id", second(",b,3"), ":2:1: user: expected an integer of 64 bits, found ''"},
      {"blank before an id", second(" 2,b,3"), ":2:1: user: expected an integer of 64 bits"},
      {"id with a sign", second("+2,b,3"), ":2:1: user: expected an integer of 64 bits"},
      {"id as a float", second("2.0,b,3"), ":2:1: user: expected an integer of 64 bits"},
      {"id with an exponent", second("2e3,b,3"), ":2:1: user: expected an integer of 64 bits"},
      {"hexadecimal id", second("0x2,b,3"), ":2:1: user: expected an integer of 64 bits"},
      {"id above 64 bits", second("9223372036854775808,b,3"), "user: expected an integer of 64"},
      {"NaN", second("2,b,nan"), ":2:5: rating: expected a number, found 'nan'"},
      {"infinity", second("2,b,-inf"), ":2:5: rating: expected a number, found '-inf'"},
      {"above a double", second("2,b,1e999"), ":2:5: rating: expected a number, found '1e999'"},
      {"decimal comma", second("2,b,\"3,5\""), ":2:5: rating: expected a number, found '3,5'"},
      {"unit", second("2,b,3 stars"), ":2:5: rating: expected a number, found '3 stars'"},
      {"no rating", second("2,b,"), ":2:5: rating: expected a number, found ''"},
      {"a second carriage return", second("2,b,3\r\r"), ":2:5: rating: expected a number"},
      {"mark of a joined file",
       second("\xEF\xBB\xBF"
              "2,b,3"),
       ":2:1: a byte order mark inside the file"},
  };
}

void read(const std::string& path) {
  DelimitedOptions options;
  options.separator = ",";
  options.quotes = Quotes::kDoubled;
  options.fields = 3;
  options.max_row_bytes = 1000;
  for_each_row(path, options, [](const DelimitedRow& row) {
    row.get_int(0, "user");
    row.get_number(2, "rating");
  });
}

TEST(DelimitedMalformed, Rows) { expect_refused("ratings.csv", row_cases(), 14, read); }
TEST(DelimitedMalformed, Values) { expect_refused("ratings.csv", value_cases(), 16, read); }

}  // namespace
}  // namespace rallrec::io
