#include "data/datasets/movielens.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::data {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

// Made-up rows in the layout of ML-100K, with three genres.
void put_100k(const TemporaryFolder& folder, const std::string& ratings) {
  folder.put("u.genre", "unknown|0\nFarce|1\nNoir|2\n\n");
  folder.put("u.item",
             "7|Quiet Harbour (1971) |01-Jan-1971||http://example/7|0|1|1\n"
             "12|Gar\xE7on, The|||" +
                 std::string("|1|0|0\n"));
  folder.put("u.occupation", "baker\npilot\n");
  folder.put("u.user", "3|17|F|baker|00100\n20|60|M|pilot|T1X\n");
  folder.put("u.data", ratings);
}

TEST(MovieLens100kReader, ReadsEveryField) {
  const TemporaryFolder folder;
  put_100k(folder, "20\t7\t4\t900\n3\t12\t1\t0\n");
  const RawData raw = read_movielens_100k(folder.path());
  ASSERT_EQ(raw.interactions.size(), 2U);
  EXPECT_EQ(raw.users.name(raw.interactions.user[0]), "20");
  EXPECT_EQ(raw.items.name(raw.interactions.item[1]), "12");
  EXPECT_EQ(raw.interactions.rating, (std::vector<float>{4, 1}));
  EXPECT_EQ(raw.interactions.timestamp, (std::vector<std::int64_t>{900, 0}));
  EXPECT_EQ(raw.item_fields.text("title", 0), "Quiet Harbour (1971)");
  EXPECT_EQ(raw.item_fields.text("year", 0), "1971");
  EXPECT_EQ(raw.item_fields.text("genres", 0), "Farce, Noir");
  EXPECT_EQ(raw.item_fields.text("title", 1), "Gar\xC3\xA7on, The");
  EXPECT_EQ(raw.item_fields.text("year", 1), "");
  EXPECT_EQ(raw.user_fields.text("gender", 0), "female");
  EXPECT_EQ(raw.user_fields.text("age", 0), "17");
  EXPECT_EQ(raw.user_fields.text("age_group", 0), "under 18");
  EXPECT_EQ(raw.user_fields.text("occupation", 1), "pilot");
  EXPECT_EQ(raw.user_fields.text("zip", 1), "T1X");
}

TEST(MovieLens100kReader, PlacesEveryBadRating) {
  const std::pair<const char*, const char*> cases[] = {
      {"3\t7\t6\t900\n", "u.data:1:5: rating: expected a whole number from 1 to 5, found 6"},
      {"3\t7\t0\t900\n", "u.data:1:5"},
      {"3\t7\t4.5\t900\n", "u.data:1:5"},
      {"3\t7\t4\t-1\n", "u.data:1:7: timestamp"},
      {"3\t7\t4\t99999999999999999999\n", "u.data:1:7: timestamp"},
      {"0\t7\t4\t9\n", "u.data:1:1: user id"},
      {"-3\t7\t4\t9\n", "u.data:1:1: user id"},
      {"2147483648\t7\t4\t9\n", "u.data:1:1: user id"},
      {"4\t7\t4\t9\n", "user id: 4 is not in u.user"},
      {"3\t8\t4\t9\n", "u.data:1:3: item id: 8 is not in u.item"},
      {"3\t7\t4\t9\n3\t7\t4\n", "u.data:2:1: expected 4 fields, found 3"},
      {"3\t7\t4\t9\t\n", "expected 4 fields, found 5"},
      {"3 7 4 9\n", "expected 4 fields, found 1"}};
  for (const auto& [rows, message] : cases) {
    const TemporaryFolder folder;
    put_100k(folder, rows);
    expect_error(ExitCode::kBadData, message, [&] { read_movielens_100k(folder.path()); });
  }
}

TEST(MovieLens100kReader, DropsBadRowsWholeUnderThePolicy) {
  const TemporaryFolder folder;
  put_100k(folder, "3\t7\t4\t-1\n3\t7\t4\t9\nx\n");
  const RawData raw = read_movielens_100k(folder.path(), {2, folder.path()});
  EXPECT_EQ(raw.rejected_rows, 2);
  ASSERT_EQ(raw.interactions.size(), 1U);
  EXPECT_EQ(raw.interactions.rating.size(), 1U);
  EXPECT_EQ(raw.interactions.timestamp, std::vector<std::int64_t>{9});
  const std::string rejects = folder.get("u.data.rejects");
  EXPECT_NE(rejects.find("3\t7\t4\t-1"), std::string::npos);
  EXPECT_NE(rejects.find("u.data:3:1"), std::string::npos);
  expect_error(ExitCode::kBadData, "u.data:3", [&] {
    read_movielens_100k(folder.path(), {1, ""});
  });
}

TEST(MovieLens100kReader, ChecksUsersItemsAndGenres) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {"u.user", "3|17|X|baker|1\n", "u.user:1:6: gender"},
      {"u.user", "3|17|F|mage|1\n", "u.user:1:8: occupation: 'mage' is not in u.occupation"},
      {"u.user", "3|old|F|baker|1\n", "u.user:1:3: age"},
      {"u.user", "3|17|F|baker|1\n3|17|F|baker|1\n",
       "u.user:2:1: user id: 3 occurs more than once"},
      {"u.item", "7|a|b|c|d|0|2|0\n", "u.item:1:13: Farce"},
      {"u.item", "7|a|b|c|d|0|1\n", "expected 8 fields, found 7"},
      {"u.genre", "unknown|0\nFarce|2\n", "u.genre:2:7: genre number"}};
  for (const auto& [name, content, message] : cases) {
    const TemporaryFolder folder;
    put_100k(folder, "3\t7\t4\t9\n");
    folder.put(name, content);
    expect_error(ExitCode::kBadData, message, [&] { read_movielens_100k(folder.path()); });
  }
}

TEST(MovieLens100kReader, NamesAMissingFile) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kMissingInput, "u.data", [&] { read_movielens_100k(folder.path()); });
  put_100k(folder, "3\t7\t4\t9\n");
  std::filesystem::remove(folder.file("u.item"));
  expect_error(ExitCode::kMissingInput, "u.item", [&] { read_movielens_100k(folder.path()); });
  expect_error(ExitCode::kUsage, "data.path", [&] { read_movielens_100k(""); });
}

void put_1m(const TemporaryFolder& folder, const std::string& ratings) {
  folder.put("movies.dat",
             "1::Le Caf\xE9: A Story (1950)::Noir|Children's\n"
             "3952::Don't (1999)::Farce\n");
  folder.put("users.dat", "1::F::1::10::48067\n2::M::56::16::70072-1234\n");
  folder.put("ratings.dat", ratings);
}

TEST(MovieLens1mReader, ReadsEveryField) {
  const TemporaryFolder folder;
  put_1m(folder, "2::3952::5::978300760\r\n1::1::3::978302109");
  const RawData raw = read_movielens_1m(folder.path());
  ASSERT_EQ(raw.interactions.size(), 2U);
  EXPECT_EQ(raw.interactions.timestamp[0], 978300760);
  EXPECT_EQ(raw.item_fields.text("title", 0), "Le Caf\xC3\xA9: A Story (1950)");
  EXPECT_EQ(raw.item_fields.values("genres", 0), (std::vector<std::string>{"Noir", "Children's"}));
  EXPECT_EQ(raw.item_fields.text("title", 1), "Don't (1999)");
  EXPECT_EQ(raw.user_fields.text("age", 0), "1");
  EXPECT_EQ(raw.user_fields.text("age_group", 0), "under 18");
  EXPECT_EQ(raw.user_fields.text("occupation", 0), "K-12 student");
  EXPECT_EQ(raw.user_fields.text("zip", 1), "70072-1234");
}

TEST(MovieLens1mReader, KeepsUtf8CopiesAsTheyAre) {
  const TemporaryFolder folder;
  put_1m(folder, "1::1::3::9\n");
  folder.put("movies.dat", "1::Le Caf\xC3\xA9 (1950)::Noir\n");
  EXPECT_EQ(read_movielens_1m(folder.path()).item_fields.text("title", 0), "Le Caf\xC3\xA9 (1950)");
}

TEST(MovieLens1mReader, NeverInventsTimestamps) {
  const TemporaryFolder folder;
  put_1m(folder, "1::1::3\n2::1::4\n");
  const RawData raw = read_movielens_1m(folder.path());
  EXPECT_EQ(raw.interactions.size(), 2U);
  EXPECT_TRUE(raw.interactions.timestamp.empty());
  put_1m(folder, "1::1::3\n2::1::4::5\n");
  expect_error(ExitCode::kBadData, "ratings.dat:2:1: expected 3 fields, found 4",
               [&] { read_movielens_1m(folder.path()); });
}

TEST(MovieLens1mReader, ChecksCodes) {
  const std::pair<const char*, const char*> cases[] = {
      {"1::F::2::10::48067\n", "users.dat:1:7: age: expected 1, 18, 25, 35, 45, 50 or 56"},
      {"1::F::1::21::48067\n", "users.dat:1:10: occupation"},
      {"1::W::1::2::48067\n", "users.dat:1:4: gender"}};
  for (const auto& [users, message] : cases) {
    const TemporaryFolder folder;
    put_1m(folder, "1::1::3::9\n");
    folder.put("users.dat", users);
    expect_error(ExitCode::kBadData, message, [&] { read_movielens_1m(folder.path()); });
  }
}

}  // namespace
}  // namespace rallrec::data
