#include "data/datasets/amazon.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "data/datasets/calendar.h"
#include "data/datasets/html_text.h"
#include "data/filters.h"
#include "tests/data/rank_invariance.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::data {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

constexpr const char* kCsvReviews =
    ",asin,reviewerID,overall,reviewTime\n"
    "7,B01,U1,5.0,\"04 4, 2004\"\n"
    "8,0700,U2,2.0,\"12 31, 1999\"\n";
constexpr const char* kCsvMetadata =
    "title,asin,actors,genre\n"
    "\"One, Two\",B01,\"[A, B]\",Drama\n"
    "\"Line\nend\",0700,,\n";

TEST(AmazonReader, ReadsCsvOf2014) {
  const TemporaryFolder folder;
  folder.put("reviews.csv", kCsvReviews);
  folder.put("items.csv", kCsvMetadata);
  folder.put("README.txt", "no matter");
  folder.put("settings.json", "{\n");
  const RawData raw = read_amazon(folder.path());
  EXPECT_EQ(raw.source, folder.file("reviews.csv"));
  ASSERT_EQ(raw.interactions.size(), 2U);
  EXPECT_EQ(raw.users.name(raw.interactions.user[1]), "U2");
  EXPECT_EQ(raw.items.name(raw.interactions.item[0]), "B01");
  EXPECT_EQ(raw.interactions.rating, (std::vector<float>{5, 2}));
  EXPECT_EQ(raw.interactions.timestamp, (std::vector<std::int64_t>{1081036800, 946598400}));
  EXPECT_EQ(raw.item_fields.text("title", 0), "One, Two");
  EXPECT_EQ(raw.item_fields.text("category", 0), "Drama");
  EXPECT_EQ(raw.item_fields.text("title", 1), "Line\nend");
  EXPECT_EQ(raw.item_fields.text("category", 1), kUnknown);
}

TEST(AmazonReader, ReadsJsonOf2018) {
  const TemporaryFolder folder;
  folder.put("Movies_and_TV.json",
             R"({"overall": 4.0, "verified": true, "reviewTime": "03 1, 2012", "reviewerID": "U",)"
             R"( "asin": "A1", "reviewText": "x", "unixReviewTime": 1330560000})"
             "\n"
             R"({"reviewerID": "V", "asin": "A3", "overall": 1, "unixReviewTime": "1330646400"})"
             "\n");
  folder.put("meta_Movies_and_TV.json",
             R"({"category": ["Movies & TV", "Movies"], "title": "Ham &amp; Eggs ", "asin": "A1"})"
             "\n"
             R"({"category": [], "title": "", "asin": "A2"})"
             "\n"
             R"({"category": [], "title": "Again", "asin": "A1"})"
             "\n");
  const RawData raw = read_amazon(folder.path());
  EXPECT_EQ(raw.interactions.timestamp, (std::vector<std::int64_t>{1330560000, 1330646400}));
  EXPECT_EQ(raw.interactions.rating, (std::vector<float>{4, 1}));
  ASSERT_EQ(raw.items.size(), 3);
  EXPECT_EQ(raw.item_fields.text("title", 0), "Ham & Eggs");
  EXPECT_EQ(raw.item_fields.text("category", 0), "Movies");
  EXPECT_EQ(raw.item_fields.text("title", 1), "");
  EXPECT_EQ(raw.item_fields.text("category", 1), kUnknown);
  EXPECT_EQ(raw.items.name(raw.interactions.item[1]), "A3");
}

TEST(AmazonReader, ReadsJsonOf2023) {
  const TemporaryFolder folder;
  folder.put("Movies.jsonl",
             R"({"rating": 5.0, "title": "Great", "text": "", "asin": "C", "parent_asin": "P",)"
             R"( "user_id": "AE1", "timestamp": 1588687728923})"
             "\n");
  folder.put("meta_Movies.jsonl",
             R"({"main_category": "Movies & TV", "title": "Film", "parent_asin": "P",)"
             R"( "categories": ["Movies & TV", "Comedy"], "price": null})"
             "\n"
             R"({"main_category": null, "title": null, "parent_asin": "Q", "categories": []})"
             "\n");
  const RawData raw = read_amazon(folder.file("Movies.jsonl"));
  ASSERT_EQ(raw.interactions.size(), 1U);
  EXPECT_EQ(raw.items.name(raw.interactions.item[0]), "P");
  EXPECT_EQ(raw.interactions.timestamp[0], 1588687728923);
  EXPECT_EQ(raw.item_fields.text("title", 0), "Film");
  EXPECT_EQ(raw.item_fields.text("category", 0), "Comedy");
  EXPECT_EQ(raw.item_fields.text("title", 1), "");
}

TEST(AmazonReader, ReadsMetadataOfPythonLiterals) {
  const TemporaryFolder folder;
  folder.put("reviews.json",
             R"({"reviewerID": "U", "asin": "A1", "overall": 3.0, "reviewTime": "01 2, 1970"})"
             "\n");
  folder.put("meta.json",
             "{'asin': 'A1', 'categories': [['Movies & TV', 'Westerns'], ['Books']], "
             "'title': \"It's\\u00e9\", 'price': 9.9, 'salesRank': {'Movies & TV': 3}}\n"
             "{'asin': 'A2', 'related': {'also_bought': ['A1']}, 'categories': [[]]}\n");
  const RawData raw = read_amazon(folder.path());
  EXPECT_EQ(raw.interactions.timestamp[0], 86400);
  EXPECT_EQ(raw.item_fields.text("title", 0), "It's\xC3\xA9");
  EXPECT_EQ(raw.item_fields.text("category", 0), "Westerns");
  EXPECT_EQ(raw.item_fields.text("category", 1), kUnknown);
  folder.put("meta.json", "{'asin': 'A1', 'title': open('x')}\n");
  expect_error(ExitCode::kBadData, "meta.json:1", [&] { read_amazon(folder.file("meta.json")); });
}

TEST(AmazonReader, DoesWithoutMetadata) {
  const TemporaryFolder folder;
  folder.put("reviews.csv", "user_id,parent_asin,rating,timestamp\nU,P,4.0,1588687728923\n");
  const RawData raw = read_amazon(folder.path());
  EXPECT_EQ(raw.interactions.size(), 1U);
  EXPECT_EQ(raw.items.name(0), "P");
  EXPECT_TRUE(raw.item_fields.fields.empty());
}

TEST(AmazonReader, PlacesEveryBadReview) {
  const std::pair<const char*, const char*> cases[] = {
      {"9,B01,U1,6.0,\"04 4, 2004\"\n", "reviews.csv:4:1: key 'overall': expected a rating from 1"},
      {"9,B01,U1,nan,\"04 4, 2004\"\n", "expected a rating from 1"},
      {"9,B01,U1,five,\"04 4, 2004\"\n", "key 'overall': expected a number, found 'five'"},
      {"9,B01,U1,5.0,\"04 31, 2004\"\n", "key 'reviewTime': expected a date"},
      {"9,,U1,5.0,\"04 4, 2004\"\n", "key 'asin': is empty"},
      {"9,B01,U1,5.0\n", "reviews.csv:4:1: expected 5 fields, found 4"}};
  for (const auto& [row, message] : cases) {
    const TemporaryFolder folder;
    folder.put("items.csv", kCsvMetadata);
    folder.put("reviews.csv", std::string(kCsvReviews) + row);
    expect_error(ExitCode::kBadData, message, [&] { read_amazon(folder.path()); });
    EXPECT_EQ(read_amazon(folder.path(), {1, folder.path()}).interactions.rating.size(), 2U);
    EXPECT_NE(folder.get("reviews.csv.rejects").find(row), std::string::npos);
  }
}

TEST(AmazonReader, PlacesBadJson) {
  const TemporaryFolder folder;
  const std::string good = R"({"user_id": "U", "asin": "A", "rating": 3, "timestamp": 5})"
                           "\n";
  folder.put("a.jsonl", good + "{\"user_id\": \"U\",\n");
  expect_error(ExitCode::kBadData, "a.jsonl:2:", [&] { read_amazon(folder.path()); });
  folder.put("a.jsonl", good + R"({"user_id": 7, "asin": "A", "rating": 3, "timestamp": 5})");
  expect_error(ExitCode::kBadData, "a.jsonl:2:2: key 'user_id': expected a string",
               [&] { read_amazon(folder.path()); });
  folder.put("a.jsonl", good + R"({"user_id": "U", "asin": "A", "rating": 3, "timestamp": 0.5})");
  expect_error(ExitCode::kBadData, "expected a whole number", [&] { read_amazon(folder.path()); });
  folder.put("a.jsonl", good + R"({"user_id": "U", "asin": "A", "rating": 3})");
  expect_error(ExitCode::kBadData, "key 'timestamp' is missing",
               [&] { read_amazon(folder.path()); });
}

TEST(AmazonReader, SaysWhatItSawOfAnUnknownLayout) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kUsage, "data.path", [] { read_amazon(""); });
  expect_error(ExitCode::kMissingInput, "no .csv, .json", [&] { read_amazon(folder.path()); });
  folder.put("ratings.csv", "U1,B01,5.0,1081036800\n");
  expect_error(ExitCode::kBadData,
               "ratings.csv:1: unknown layout: the first line names 'U1', 'B01'",
               [&] { read_amazon(folder.path()); });
  folder.put("ratings.csv", "{not quite\n");
  expect_error(ExitCode::kBadData, "names nothing, but is '{not quite'; known are reviews of 2014",
               [&] { read_amazon(folder.file("ratings.csv")); });
  folder.put("ratings.csv", kCsvReviews);
  folder.put("meta.csv", "id,title\nB01,A film\n");
  expect_error(ExitCode::kBadData, "meta.csv:1: unknown layout: the first line names 'id', 'title'",
               [&] { read_amazon(folder.path()); });
  EXPECT_EQ(read_amazon(folder.file("ratings.csv")).interactions.size(), 2U);
  const TemporaryFolder metadata;
  metadata.put("meta.csv", "asin,title\nB01,A film\n");
  expect_error(ExitCode::kBadData,
               "holds no file of reviews: meta.csv has 'asin', 'title'; known are reviews of 2014",
               [&] { read_amazon(metadata.path()); });
  std::filesystem::remove(folder.file("meta.csv"));
  folder.put("more.csv", kCsvReviews);
  expect_error(ExitCode::kUsage, "let data.path name the one", [&] { read_amazon(folder.path()); });
  EXPECT_EQ(read_amazon(folder.file("more.csv")).interactions.size(), 2U);
}

TEST(AmazonReader, GivesTheSameOnAnyNumberOfRanks) {
  const TemporaryFolder csv;
  const TemporaryFolder json;
  std::string rows = kCsvReviews;
  std::string lines;
  for (int row = 0; row < 200; ++row) {
    const std::string item = std::to_string(row * 7 % 53);
    const std::string user = std::to_string(row * row % 41);
    const std::string rating = row % 70 == 69 ? "9" : std::to_string(row % 5 + 1);
    rows.append("1,B").append(item).append(",U").append(user).append(",").append(rating);
    rows.append(",\"01 2, 2010\"\n");
    lines.append("{\"user_id\": \"U" + user + "\", \"asin\": \"B" + item + "\", \"rating\": ");
    lines.append(rating + ", \"timestamp\": " + std::to_string(row) + "}\n");
  }
  csv.put("reviews.csv", rows);
  csv.put("items.csv", kCsvMetadata);
  json.put("reviews.jsonl", lines);
  expect_same_on_ranks(read_amazon, csv.path(), 2);
  expect_same_on_ranks(read_amazon, json.path(), 2);
}

TEST(Calendar, KnowsItsMonths) {
  std::int64_t seconds = -1;
  EXPECT_TRUE(seconds_of_date("01 1, 1970", &seconds));
  EXPECT_EQ(seconds, 0);
  EXPECT_TRUE(seconds_of_date("2 29, 2000", &seconds));
  EXPECT_EQ(seconds, 951782400);
  EXPECT_TRUE(seconds_of_date("07 23, 2014", &seconds));
  EXPECT_EQ(seconds, 1406073600);
  for (const char* text : {"", "02 29, 1900", "2 29, 2001", "13 1, 2000", "0 1, 2000", "1 0, 2000",
                           "1 1, 1969", "1 1 2000", "1 1, 2000x", "x 1, 2000", "1 1, 12000"}) {
    EXPECT_FALSE(seconds_of_date(text, &seconds)) << text;
  }
}

TEST(HtmlText, DecodesWhatShopsWrite) {
  EXPECT_EQ(decode_entities("Ham &amp; Eggs &quot;x&#39;s&quot; &amp;lt; &unknown; &"),
            "Ham & Eggs \"x's\" &lt; &unknown; &");
  EXPECT_EQ(decode_entities(""), "");
}

}  // namespace
}  // namespace rallrec::data
