#include "io/jsonl.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <thread>

#include "io/files.h"
#include "io/json_writer.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::io {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

std::vector<std::string> inputs_of(const std::string& path, const JsonlOptions& options = {}) {
  std::vector<std::string> inputs;
  for_each_record(path, options,
                  [&](const JsonRecord& record) { inputs.push_back(record.get_string("input")); });
  return inputs;
}

const std::vector<std::string> kOneTwo = {"one", "two"};

TEST(Jsonl, LineEndsAndByteOrderMark) {
  const TemporaryFolder folder;
  const std::string one = R"({"input": "one"})";
  const std::string two = R"({"input": "two"})";
  for (const std::string& bytes :
       {one + "\n" + two + "\n", one + "\n" + two, one + "\r\n" + two + "\r\n",
        "\xEF\xBB\xBF" + one + "\n" + two, "\n" + one + "\n\n  \n" + two + "\n\n",
        "  " + one + "  \n\t" + two}) {
    EXPECT_EQ(inputs_of(folder.put("a.jsonl", bytes)), kOneTwo) << bytes;
  }
  for (const char* bytes : {"", "\n", "\xEF\xBB\xBF", "  \r\n", "[]", " [ ]\n"}) {
    EXPECT_TRUE(inputs_of(folder.put("a.jsonl", bytes)).empty()) << bytes;
  }
}

TEST(Jsonl, ReadsArraysOfObjects) {
  const TemporaryFolder folder;
  for (const char* bytes : {R"([{"input":"one"},{"input":"two"}])",
                            "[\n  {\n    \"input\": \"one\"\n  },\n  {\"input\": \"two\"}\n]\n",
                            "\xEF\xBB\xBF [ {\"input\": \"one\", \"x\": \"],[{\\\"\"} , "
                            "{\"input\": \"two\", \"y\": [1, {\"z\": \"\\\\\"}]} ]"}) {
    EXPECT_EQ(inputs_of(folder.put("a.json", bytes)), kOneTwo) << bytes;
  }
}

TEST(Jsonl, ReportsBrokenArrays) {
  const TemporaryFolder folder;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[", "a.json:1:2: the file ends inside"},
      {"[{\"input\": \"x\"}", "ends inside"},
      {"[{\"input\": \"x\"}\n{}]", "not valid JSON"},
      {"[{\"input\": \"x\"},]", "element of the JSON array is missing"},
      {"[,]", "element of the JSON array is missing"},
      {"[{\"input\": \"x\"}] 1", "something follows"},
      {"[1]", "a.json:1:2: expected a JSON object {…}, found an integer"},
      {"[{\"input\": \"x\"},\n  {\"input\":\n    y}]", "a.json:3:5: not valid JSON near"},
  };
  for (const auto& [bytes, text] : cases) {
    const std::string path = folder.put("a.json", bytes);
    expect_error(ExitCode::kBadData, text, [&] { inputs_of(path); });
  }
}

TEST(Jsonl, NamesPathLineColumnAndKey) {
  const TemporaryFolder folder;
  const std::string path = folder.put("a.jsonl",
                                      "{\"input\": \"x\", \"label\": 1}\n{\"input\": \"x\", "
                                      "\"label\": \"1\", \"a\": [1, \"b\"]}\n");
  JsonlFile file(path);
  ASSERT_EQ(file.size(), 2);
  const JsonRecord good = file.read(0);
  EXPECT_EQ(good.get_int("label"), 1);
  EXPECT_EQ(good.get_number("label"), 1.0);
  EXPECT_TRUE(good.has("label"));
  EXPECT_FALSE(good.has("score"));
  const JsonRecord bad = file.read(1);
  const auto expect = [&](const std::string& text, auto&& get) {
    expect_error(ExitCode::kBadData, path + text, get);
  };
  expect(":2:16: key 'label': expected an integer of 64 bits, found a string",
         [&] { bad.get_int("label"); });
  expect(":2:16: key 'label': expected a number, found a string", [&] { bad.get_number("label"); });
  expect(":2:16: key 'label': expected true or false", [&] { bad.get_bool("label"); });
  expect(":2:2: key 'input': expected an array", [&] { bad.get_array("input"); });
  expect(":2:30: key 'a': expected strings in the array", [&] { bad.get_strings("a"); });
  expect(":2:30: key 'a': expected integers", [&] { bad.get_ints("a"); });
  expect(":2:1: key 'score' is missing", [&] { bad.get_number("score"); });
  EXPECT_EQ(bad.line(), 2u);
}

TEST(Jsonl, RefusesARowAboveTheLimit) {
  const TemporaryFolder folder;
  const std::string good = "{\"input\": \"x\"}";
  const std::string at_limit = "{\"input\": \"" + std::string((1 << 20) - 13, 'y') + "\"}";
  ASSERT_EQ(at_limit.size(), 1u << 20);
  EXPECT_EQ(inputs_of(folder.put("a.jsonl", good + "\n" + at_limit)).size(), 2u);
  const std::string above = "{\"input\": \"" + std::string((1 << 20) - 12, 'y') + "\"}";
  const std::string path = folder.put("a.jsonl", good + "\n" + above + "\n" + good);
  expect_error(ExitCode::kBadData, "a.jsonl:2:1: the record is 1048577 bytes long; at most 1048576",
               [&] { inputs_of(path); });
  const std::string array = folder.put("a.json", "[" + good + "," + above + "]");
  expect_error(ExitCode::kBadData, "a.json:1:17: the record is 1048577 bytes",
               [&] { inputs_of(array); });
}

TEST(Jsonl, BadRowsGoToRejects) {
  const TemporaryFolder folder;
  const std::string path =
      folder.put("a.jsonl", "{\"input\": \"one\"}\nbroken\n{\"input\": 3}\n{\"input\": \"two\"}\n");
  JsonlOptions options;
  expect_error(ExitCode::kBadData, "a.jsonl:2:1: not valid JSON",
               [&] { inputs_of(path, options); });
  options.bad_rows = {2, folder.file("a.rejects")};
  EXPECT_EQ(inputs_of(path, options), kOneTwo);
  const std::string rejects = folder.get("a.rejects");
  EXPECT_NE(rejects.find("# " + path + ":2:1: not valid JSON"), std::string::npos) << rejects;
  EXPECT_NE(rejects.find("\nbroken\n# " + path + ":3:2: key 'input'"), std::string::npos)
      << rejects;
  EXPECT_NE(rejects.find("\n{\"input\": 3}\n"), std::string::npos) << rejects;
  options.bad_rows.max_bad_rows = 1;
  expect_error(ExitCode::kBadData, "bad row number 2; --max-bad-rows allows 1",
               [&] { inputs_of(path, options); });
}

TEST(Jsonl, RejectsOfAnEarlierReadingGo) {
  const TemporaryFolder folder;
  const std::string path = folder.put("a.jsonl", "{\"input\": \"one\"}\nbroken\n");
  const JsonlOptions options = with_bad_rows(path, 1, true);
  inputs_of(path, options);
  EXPECT_FALSE(folder.get("a.jsonl.rejects").empty());
  folder.put("a.jsonl", "{\"input\": \"one\"}\n");
  inputs_of(path, options);
  EXPECT_FALSE(file_exists(folder.file("a.jsonl.rejects")));
  folder.put("a.jsonl.rejects", "someone's own\n");
  inputs_of(path, options);
  EXPECT_EQ(folder.get("a.jsonl.rejects"), "someone's own\n");
}

TEST(JsonlFile, SkipsBadRowsInTheIndex) {
  const TemporaryFolder folder;
  std::string bytes;
  for (int i = 0; i < 1000; ++i) {
    bytes += i % 10 == 3 ? "bad\n" : "{\"i\": " + std::to_string(i) + "}\r\n";
  }
  JsonlOptions options;
  options.bad_rows.max_bad_rows = 200;
  JsonlFile file(folder.put("a.jsonl", bytes), options, [](const JsonRecord& record) {
    if (record.get_int("i") == 5) {
      record.fail("i", "five is out");
    }
  });
  EXPECT_EQ(file.size(), 899);
  EXPECT_EQ(file.read(898).get_int("i"), 999);
  EXPECT_EQ(file.read(3).get_int("i"), 4);
  EXPECT_EQ(file.read(4).get_int("i"), 6);
  EXPECT_EQ(file.read(4).line(), 7u);
}

TEST(JsonlFile, ReadsElementsOfAnArrayByPosition) {
  const TemporaryFolder folder;
  JsonlFile file(
      folder.put("a.json", "[\n {\"i\": 0},\n {\"i\": 1,\n  \"b\": true},\n {\"i\": 2}\n]"));
  ASSERT_EQ(file.size(), 3);
  EXPECT_EQ(file.read(2).get_int("i"), 2);
  EXPECT_EQ(file.read(1).text(), "{\"i\": 1,\n  \"b\": true}");
  EXPECT_EQ(file.read(1).where("b"), file.path() + ":4:3");
}

TEST(JsonlFile, ReadsPipes) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo(folder.file("pipe").c_str(), 0600), 0);
  std::thread writer([&] { folder.put("pipe", "{\"i\": 1}\n{\"i\": 2}\n"); });
  JsonlFile file(folder.file("pipe"));
  writer.join();
  ASSERT_EQ(file.size(), 2);
  EXPECT_EQ(file.read(1).get_int("i"), 2);
}

TEST(JsonlWriter, RoundTripIsAtomic) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.jsonl");
  JsonlWriter writer(path);
  for (const std::string& input : kOneTwo) {
    writer.write(JsonObjectWriter().add("input", input));
  }
  EXPECT_TRUE(folder.get("a.jsonl").empty());
  writer.commit();
  EXPECT_EQ(inputs_of(path), kOneTwo);
}

TEST(Jsonl, BlockBordersDoNotMatter) {
  const TemporaryFolder folder;
  std::string lines;
  std::string array = "[";
  for (int i = 0; i < 20000; ++i) {
    const std::string object =
        "{\"input\": \"" + std::string(static_cast<std::size_t>(i % 97), 'q') + "\"}";
    lines += object + (i % 3 == 0 ? "\r\n" : "\n");
    array += (i == 0 ? "" : ",\n") + object;
  }
  const auto from_lines = inputs_of(folder.put("a.jsonl", lines));
  ASSERT_EQ(from_lines.size(), 20000u);
  for (int i = 0; i < 20000; ++i) {
    ASSERT_EQ(from_lines[static_cast<std::size_t>(i)].size(), static_cast<std::size_t>(i % 97));
  }
  EXPECT_EQ(inputs_of(folder.put("a.json", array + "]")), from_lines);
}

}  // namespace
}  // namespace rallrec::io
