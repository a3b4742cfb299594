#include "io/delimited.h"

#include <gtest/gtest.h>

#include "io/append_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;
using Rows = std::vector<std::vector<std::string>>;

Rows rows_of(const std::string& path, const DelimitedOptions& options) {
  Rows rows;
  for_each_row(path, options, [&](const DelimitedRow& row) {
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < row.size(); ++i) {
      fields.emplace_back(row[i]);
    }
    rows.push_back(fields);
  });
  return rows;
}

DelimitedOptions with_separator(const std::string& separator) {
  DelimitedOptions options;
  options.separator = separator;
  return options;
}

TEST(Delimited, Separators) {
  const TemporaryFolder folder;
  for (const std::string s : {"::", "\t", "|", ",", ";"}) {
    const std::string path = folder.put("a", "1" + s + "two 2" + s + "\r\n\n" + s + s + "x");
    EXPECT_EQ(rows_of(path, with_separator(s)), (Rows{{"1", "two 2", ""}, {"", "", "x"}})) << s;
  }
  EXPECT_EQ(rows_of(folder.put("a", "a:b::c:::d"), with_separator("::")),
            (Rows{{"a:b", "c", ":d"}}));
  EXPECT_EQ(rows_of(folder.put("a",
                               "\xEF\xBB\xBF"
                               "a\n"),
                    with_separator(",")),
            (Rows{{"a"}}));
  EXPECT_TRUE(rows_of(folder.put("a", ""), with_separator(",")).empty());
}

TEST(Delimited, Encodings) {
  const TemporaryFolder folder;
  DelimitedOptions options = with_separator("::");
  const std::string latin = folder.put("a", "1::Am\xE9lie::2\n");
  expect_error(ExitCode::kBadData, "a:1:6: not valid UTF-8", [&] { rows_of(latin, options); });
  options.encoding = Encoding::kLatin1;
  EXPECT_EQ(rows_of(latin, options), (Rows{{"1", "Am\xC3\xA9lie", "2"}}));
  options.encoding = Encoding::kWindows1252;
  EXPECT_EQ(rows_of(folder.put("b", "\x93\x80\xE9\x81\x94::2\n"), options),
            (Rows{{"\xE2\x80\x9C\xE2\x82\xAC\xC3\xA9\xC2\x81\xE2\x80\x9D", "2"}}));
  const std::string nul = folder.put("a", std::string("ok\n1:\0:2\n", 9));
  expect_error(ExitCode::kBadData, "a:2:3: a NUL byte", [&] { rows_of(nul, options); });
}

TEST(Delimited, Quotes) {
  const TemporaryFolder folder;
  DelimitedOptions options = with_separator(";");
  const std::string text = "\"a;b\";\"say \"\"hi\"\"\";c\n\"\";x\"y;\"z\"\n";
  const std::string path = folder.put("a", text);
  EXPECT_EQ(rows_of(path, options)[0][0], "\"a");
  options.quotes = Quotes::kDoubled;
  EXPECT_EQ(rows_of(path, options), (Rows{{"a;b", "say \"hi\"", "c"}, {"", "x\"y", "z"}}));
  const std::string after = folder.put("a", "1;\"a\"b;2\n");
  expect_error(ExitCode::kBadData, "a:1:6: expected ';' after", [&] { rows_of(after, options); });
  const std::string open = folder.put("a", "x\n1;\"line\nend\";2\n");
  expect_error(ExitCode::kBadData, "a:2:3: a quoted field is not closed",
               [&] { rows_of(open, options); });
  options.quoted_line_ends = true;
  EXPECT_EQ(rows_of(open, options), (Rows{{"x"}, {"1", "line\nend", "2"}}));
  const std::string end = folder.put("a", "1;\"line\nend");
  expect_error(ExitCode::kBadData, "a:1:3: a quoted field is not closed",
               [&] { rows_of(end, options); });
}

TEST(Delimited, LooseQuotes) {
  const TemporaryFolder folder;
  DelimitedOptions options = with_separator(";");
  options.quotes = Quotes::kLoose;
  const std::string path =
      folder.put("a",
                 "\"1\";\"say \\\"hi\\\"\";\"x\"\n"    // escaped quotes
                 "\"2\";\"a;b \"c\" d\";\"\"\n"        // quotes and separators as text
                 "\"3\";NULL;NULL\n"                   // bare words
                 "\"4\";\"in s/n\\\";milan\";\"y\"\n"  // a quote before a separator, yet text
                 "\"5\";\"ends in \\\";NULL\n");       // a backslash before the closing quote
  EXPECT_EQ(rows_of(path, options), (Rows{{"1", "say \"hi\"", "x"},
                                          {"2", "a;b \"c\" d", ""},
                                          {"3", "NULL", "NULL"},
                                          {"4", "in s/n\";milan", "y"},
                                          {"5", "ends in \\", "NULL"}}));
  const std::string open = folder.put("a", "\"1\";\"open\n\"2\";\"x\"\n");
  expect_error(ExitCode::kBadData, "a:1:5: a quoted field is not closed",
               [&] { rows_of(open, options); });
}

TEST(Delimited, CountsFields) {
  const TemporaryFolder folder;
  DelimitedOptions options = with_separator(",");
  options.fields = 2;
  const std::string path = folder.put("a", "1,2\n1,2,3\n");
  expect_error(ExitCode::kBadData, "a:2:1: expected 2 fields, found 3",
               [&] { rows_of(path, options); });
}

TEST(Delimited, Getters) {
  const TemporaryFolder folder;
  const std::string path = folder.put("a", "7,x,2.5,99999999999999999999,nan,1 ,-3\n");
  for_each_row(path, with_separator(","), [&](const DelimitedRow& row) {
    EXPECT_EQ(row.get_int(0, "user"), 7);
    EXPECT_EQ(row.get_number(2, "rating"), 2.5);
    EXPECT_EQ(row.get_number(0, "rating"), 7.0);
    EXPECT_EQ(row.get_int(6, "n"), -3);
    expect_error(ExitCode::kBadData, "a:1:3: user: expected an integer of 64 bits, found 'x'",
                 [&] { row.get_int(1, "user"); });
    expect_error(ExitCode::kBadData, "a:1:5: user: expected an integer",
                 [&] { row.get_int(2, "user"); });
    expect_error(ExitCode::kBadData, "a:1:9: user: expected an integer",
                 [&] { row.get_int(3, "user"); });
    expect_error(ExitCode::kBadData, "a:1:30: r: expected a number",
                 [&] { row.get_number(4, "r"); });
    expect_error(ExitCode::kBadData, "a:1:34: r: expected a number",
                 [&] { row.get_number(5, "r"); });
    expect_error(ExitCode::kBadData, "only 7 fields", [&] { row.get_text(7, "r"); });
  });
}

TEST(Delimited, BadRowsAndLongRows) {
  const TemporaryFolder folder;
  DelimitedOptions options = with_separator(",");
  options.max_row_bytes = 10;
  options.fields = 2;
  options.bad_rows = {2, folder.file("a.rejects")};
  const std::string path = folder.put("a", "1,2\n" + std::string(20, 'x') + "\n1\n3,4\n");
  EXPECT_EQ(rows_of(path, options), (Rows{{"1", "2"}, {"3", "4"}}));
  EXPECT_EQ(folder.get("a.rejects"), "# " + path +
                                         ":2:1: the row is longer than 10 bytes\nxxxxxxxxxx\n# " +
                                         path + ":3:1: expected 2 fields, found 1\n1\n");
}

TEST(AppendFile, AppendsAndCuts) {
  const TemporaryFolder folder;
  const std::string path = folder.put("m", "one\ntwo\nhal");
  AppendFile file(path, 8);
  file.append("three\n");
  file.sync();
  EXPECT_EQ(folder.get("m"), "one\ntwo\nthree\n");
  expect_error(ExitCode::kIo, "No space left", [] { AppendFile("/dev/full").append("x"); });
}

}  // namespace
}  // namespace rallrec::io
