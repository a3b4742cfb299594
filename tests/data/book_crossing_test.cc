#include "data/datasets/book_crossing.h"

#include <gtest/gtest.h>

#include "data/datasets/book_fields.h"
#include "data/datasets/country.h"
#include "data/filters.h"
#include "tests/data/rank_invariance.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::data {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

constexpr const char* kBooksHeader =
    R"("ISBN";"Book-Title";"Book-Author";"Year-Of-Publication";"Publisher";"Image-URL-S";)"
    R"("Image-URL-M";"Image-URL-L")"
    "\n";

std::string book(const std::string& start) {
  return start + R"(;"http://example/s";"http://example/m";"http://example/l")" + "\n";
}

// Made-up rows in the layout of the dump, with its quirks: Windows-1252, separators and quotes
// within fields, NULL, entities.
void put_official(const TemporaryFolder& folder, const std::string& more_ratings = "") {
  folder.put("BX-Books.csv",
             kBooksHeader +
                 book("\"000000001X\";\"Caf\xE9 \x93Noir\x94; a novel\";\"A. Writer\";"
                      "\"1999\";\"Press &amp; Sons\"") +
                 book(R"("0000000028";"A \"Quiet\" Sea";"N/A";"0";NULL)") +
                 book(R"("0000000036";"She Said \"Yes\"";"B; C";"2001";"n/a")"));
  folder.put("BX-Users.csv",
             "\"User-ID\";\"Location\";\"Age\"\r\n"
             "\"2\";\"nyc, new york, usa\";NULL\r\n"
             "\"10\";\"cernusco s/n\\\";milan, italy\";\"60\"\r\n"
             "\"11\";\", ,\";\"101\"\r\n");
  folder.put("BX-Book-Ratings.csv",
             "\"User-ID\";\"ISBN\";\"Book-Rating\"\n"
             "\"10\";\"0000000036\";\"0\"\n"
             "\"2\";\"000000001X\";\"10\"\n"
             "\"10\";\"unheard of\";\"5\"\n" +
                 more_ratings);
}

TEST(BookCrossingReader, ReadsTheOfficialDump) {
  const TemporaryFolder folder;
  put_official(folder);
  const RawData raw = read_book_crossing(folder.path());
  ASSERT_EQ(raw.interactions.size(), 3U);
  EXPECT_TRUE(raw.interactions.timestamp.empty());
  EXPECT_EQ(raw.interactions.rating, (std::vector<float>{0, 10, 5}));
  EXPECT_EQ(raw.users.name(raw.interactions.user[0]), "10");
  EXPECT_EQ(raw.items.name(raw.interactions.item[1]), "000000001X");
  EXPECT_EQ(raw.items.name(raw.interactions.item[2]), "unheard of");
  const FieldTable& books = raw.item_fields;
  EXPECT_EQ(books.text("title", 0), "Caf\xC3\xA9 \xE2\x80\x9CNoir\xE2\x80\x9D; a novel");
  EXPECT_EQ(books.text("publisher", 0), "Press & Sons");
  EXPECT_EQ(books.text("isbn", 0), "000000001X");
  EXPECT_TRUE(books.find("isbn")->derived);
  EXPECT_EQ(books.text("title", 1), "A \"Quiet\" Sea");
  EXPECT_EQ(books.text("author", 1), kUnknown);
  EXPECT_EQ(books.text("year", 1), kUnknown);
  EXPECT_EQ(books.text("publisher", 1), kUnknown);
  EXPECT_EQ(books.text("title", 2), "She Said \"Yes\"");
  EXPECT_EQ(books.text("author", 2), "B; C");
  EXPECT_EQ(books.text("year", 2), "2001");
  EXPECT_EQ(raw.user_fields.text("country", 0), "USA");
  EXPECT_EQ(raw.user_fields.text("age_group", 0), kUnknown);
  EXPECT_EQ(raw.user_fields.text("country", 1), "Italy");
  EXPECT_EQ(raw.user_fields.text("age_group", 1), "60+");
  EXPECT_EQ(raw.user_fields.text("country", 2), kUnknown);
  EXPECT_EQ(raw.user_fields.text("age_group", 2), kUnknown);
}

// A title and an author that the dump has in one field, and a field too many.
TEST(BookCrossingReader, PutsBrokenRowsAside) {
  const TemporaryFolder folder;
  put_official(folder);
  folder.put("BX-Books.csv", kBooksHeader +
                                 book(R"("0000000044";"Level 4\";Some Author";"2000";"Press")") +
                                 book(R"("0000000052";"One";"too";"many";"1999";"Press")") +
                                 book(R"("0000000060";"Fine";"A";"1999";"Press")") +
                                 book(R"("0000000060";"Again";"A";"1999";"Press")"));
  expect_error(ExitCode::kBadData, "BX-Books.csv:2:1: expected 8 fields, found 7",
               [&] { read_book_crossing(folder.path()); });
  const RawData raw = read_book_crossing(folder.path(), {3, folder.path()});
  EXPECT_EQ(raw.rejected_rows, 3);
  EXPECT_EQ(raw.items.name(0), "0000000060");
  EXPECT_EQ(raw.item_fields.text("title", 0), "Fine");
  const std::string rejects = folder.get("BX-Books.csv.rejects");
  EXPECT_NE(rejects.find(":3:1: expected 8 fields, found 9\n\"0000000052\""), std::string::npos);
  EXPECT_NE(rejects.find("ISBN: 0000000060 occurs more than once"), std::string::npos);
}

TEST(BookCrossingReader, PlacesEveryBadRating) {
  const std::pair<const char*, const char*> cases[] = {
      {"\"10\";\"0000000036\";\"11\"\n",
       ":5:19: Book-Rating: expected a whole number from 0 to 10"},
      {"\"10\";\"0000000036\";NULL\n", "Book-Rating: expected an integer"},
      {"\"0\";\"0000000036\";\"1\"\n", ":5:1: User-ID"},
      {"\"10\";\" \";\"1\"\n", ":5:6: ISBN is empty"},
      {"\"10\";\"0000000036\"\n", ":5:1: expected 3 fields, found 2"},
      {"\"10\";\"0000000036;\"1\"\n", "expected 3 fields, found 2"},
      {"\"10\";\"0000000036\";\"1\n", "a quoted field is not closed"}};
  for (const auto& [rows, message] : cases) {
    const TemporaryFolder folder;
    put_official(folder, rows);
    expect_error(ExitCode::kBadData, message, [&] { read_book_crossing(folder.path()); });
  }
}

void put_cleaned(const TemporaryFolder& folder) {
  folder.put("BX-Ratings.csv", "User-ID,ISBN,Book-Rating\n3,000000001X,7\n1,000000001X,3\n");
  folder.put("BX-Books.csv",
             "ISBN,Book-Title,Book-Author,Year-Of-Publication,Book-Publisher\n"
             "000000001X,\"Sea, \"\"Quiet\"\" Sea\",Zo\xC3\xAB,2000,Press\n");
  folder.put("BX-Users.csv",
             "User-ID,User-City,User-State,User-Country,User-Age\n"
             "1,a, b,\" new zealand\"\"\",\"17\"\"\"\n3,a, b,\" u.s.a.\"\"\",44");
}

TEST(BookCrossingReader, ReadsTheCleanedFiles) {
  const TemporaryFolder folder;
  put_cleaned(folder);
  for (const std::string& path : {folder.path(), folder.file("BX-Ratings.csv")}) {
    const RawData raw = read_book_crossing(path);
    ASSERT_EQ(raw.interactions.size(), 2U);
    EXPECT_EQ(raw.interactions.rating, (std::vector<float>{7, 3}));
    EXPECT_EQ(raw.users.name(raw.interactions.user[0]), "3");
    EXPECT_EQ(raw.item_fields.text("title", 0), "Sea, \"Quiet\" Sea");
    EXPECT_EQ(raw.item_fields.text("author", 0), "Zo\xC3\xAB");
    EXPECT_EQ(raw.user_fields.text("country", 0), "New Zealand");
    EXPECT_EQ(raw.user_fields.text("age_group", 0), "under 18");
    EXPECT_EQ(raw.user_fields.text("country", 1), "USA");
    EXPECT_EQ(raw.user_fields.text("age_group", 1), "40-44");
  }
}

TEST(BookCrossingReader, SaysWhatItSawOfAnUnknownLayout) {
  const TemporaryFolder folder;
  put_cleaned(folder);
  folder.put("BX-Ratings.csv", "user\tbook\n");
  expect_error(ExitCode::kBadData, "BX-Ratings.csv:1: unknown layout",
               [&] { read_book_crossing(folder.path()); });
  folder.put("BX-Ratings.csv", "User-ID,ISBN,Stars\n");
  expect_error(ExitCode::kBadData, "'User-ID', 'ISBN', 'Stars', none of them 'Book-Rating'",
               [&] { read_book_crossing(folder.path()); });
  std::filesystem::remove(folder.file("BX-Users.csv"));
  expect_error(ExitCode::kMissingInput, "BX-Users.csv", [&] { read_book_crossing(folder.path()); });
  expect_error(ExitCode::kMissingInput, "BX-Book-Ratings.csv", [&] {
    const TemporaryFolder empty;
    read_book_crossing(empty.path());
  });
}

TEST(BookCrossingReader, GivesTheSameOnAnyNumberOfRanks) {
  const TemporaryFolder folder;
  std::string rows;
  for (int row = 0; row < 200; ++row) {
    rows += "\"" + std::to_string(row * row % 41 + 1) + "\";\"" + std::to_string(row * 7 % 53) +
            "\";\"" + (row % 60 == 59 ? "much" : std::to_string(row % 11)) + "\"\n";
  }
  put_official(folder, rows);
  expect_same_on_ranks(read_book_crossing, folder.path(), 3);
}

TEST(BookCrossing, GroupsAges) {
  const std::pair<const char*, const char*> cases[] = {
      {"", kUnknown},     {"NULL", kUnknown}, {"4", kUnknown},  {"5", "under 18"},
      {"17", "under 18"}, {"18", "18-24"},    {"24", "18-24"},  {"25", "25-29"},
      {"29.0", "25-29"},  {"30", "30-34"},    {"59", "55-59"},  {"60", "60+"},
      {"100", "60+"},     {"101", kUnknown},  {"-7", kUnknown}, {"14\"", "under 18"},
      {"old", kUnknown}};
  for (const auto& [age, group] : cases) EXPECT_EQ(reader_age_group(age), group) << age;
}

TEST(BookCrossing, NamesCountries) {
  const std::pair<const char*, const char*> cases[] = {
      {"nyc, new york, usa", "USA"},
      {" usa\"", "USA"},
      {"x, y, U.S.A.", "USA"},
      {" u.s. of a.\"", "USA"},
      {" united states\"", "USA"},
      {"england", "United Kingdom"},
      {" trinidad and tobago\"", "Trinidad And Tobago"},
      {" espa\xC3\xB1"
       "a\"",
       "Spain"},
      {"a, b, n/a - on the road", kUnknown},
      {"a, b, n/a", kUnknown},
      {"a, b,", kUnknown},
      {" c\"", kUnknown},
      {" k1c7b1\"", kUnknown},
      {"", kUnknown}};
  for (const auto& [location, country] : cases)
    EXPECT_EQ(country_of(location), country) << location;
}

}  // namespace
}  // namespace rallrec::data
