#include "data/datasets/atomic.h"

#include <gtest/gtest.h>

#include "data/datasets/light_gcn_txt.h"
#include "data/datasets/registry.h"
#include "distributed/thread_communicator.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::data {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

constexpr const char* kHeader = "user_id:token\titem_id:token\trating:float\ttimestamp:float\n";

RawData read_interactions(const std::string& content, const ReadOptions& options = {}) {
  const TemporaryFolder folder;
  return read_atomic(folder.put("shop.inter", content), options);
}

TEST(AtomicReader, ReadsInteractionsInAnyColumnOrder) {
  const RawData raw = read_interactions(
      "mood:token\ttimestamp:float\titem_id:token\tuser_id:token\trating:float\n"
      "ok\t881250949.0\tB0 1\tann\t-2.5\n\t9007199254740993\tB2\tbob\t4");
  ASSERT_EQ(raw.interactions.size(), 2U);
  EXPECT_EQ(raw.users.name(raw.interactions.user[0]), "ann");
  EXPECT_EQ(raw.items.name(raw.interactions.item[0]), "B0 1");
  EXPECT_EQ(raw.interactions.rating[0], -2.5F);
  EXPECT_EQ(raw.interactions.timestamp[0], 881250949);
  EXPECT_EQ(raw.interactions.timestamp[1], 9007199254740993);
}

TEST(AtomicReader, ATimestampMayLieBetweenWholeNumbers) {
  const RawData raw = read_interactions(
      std::string(kHeader) + "u\ta\t1\t7\nu\tb\t1\t6.75\nu\tc\t1\t6.5\nu\td\t1\t1.5e18\n");
  EXPECT_EQ(raw.interactions.timestamp, (std::vector<std::int64_t>{7, 6, 6, 1500000000000000000}));
  EXPECT_EQ(raw.interactions.timestamp_fraction, (std::vector<double>{0.0, 0.75, 0.5, 0.0}));
  EXPECT_EQ(time_order(raw.interactions), (std::vector<std::int32_t>{2, 1, 0, 3}));
}

TEST(AtomicReader, WholeTimestampsHaveNoFractions) {
  const RawData raw = read_interactions(std::string(kHeader) + "u\ta\t1\t7.0\nu\tb\t1\t6\n");
  EXPECT_TRUE(raw.interactions.timestamp_fraction.empty());
}

// The rows with fractions are in the last rank's part alone.
TEST(AtomicReader, RanksAgreeOnTimesBetweenWholeNumbers) {
  const TemporaryFolder folder;
  std::string text = kHeader;
  for (int row = 0; row < 40; ++row) {
    text +=
        "u\ti" + std::to_string(row) + "\t1\t" + std::to_string(row) + (row > 35 ? ".25\n" : "\n");
  }
  const std::string file = folder.put("shop.inter", text);
  const RawData alone = read_atomic(file);
  ASSERT_EQ(alone.interactions.timestamp_fraction.size(), 40U);
  distributed::run_thread_ranks(3, [&](distributed::Communicator& communicator) {
    const RawData shared = read_atomic(file, {0, "", &communicator});
    EXPECT_EQ(shared.interactions.timestamp, alone.interactions.timestamp);
    EXPECT_EQ(shared.interactions.timestamp_fraction, alone.interactions.timestamp_fraction);
  });
}

TEST(AtomicReader, LeavesOutWhatTheFileDoesNotSay) {
  const RawData raw = read_interactions("user_id:token\titem_id:token\n1\t2\n1\t3\n");
  EXPECT_EQ(raw.interactions.size(), 2U);
  EXPECT_FALSE(raw.interactions.has_ratings());
  EXPECT_FALSE(raw.interactions.has_timestamps());
}

TEST(AtomicReader, PlacesEveryBadRow) {
  const std::pair<const char*, const char*> cases[] = {
      {"1\t2\tx\t9\n", "shop.inter:2:5: rating"},
      {"1\t2\tnan\t9\n", "shop.inter:2:5: rating"},
      {"1\t2\tinf\t9\n", "shop.inter:2:5: rating"},
      {"1\t2\t1e39\t9\n", "shop.inter:2:5: rating"},
      {"1\t2\t\t9\n", "shop.inter:2:5: rating"},
      {"1\t2\t3\t-9\n", "shop.inter:2:7: timestamp"},
      {"1\t2\t3\t-0.5\n", "shop.inter:2:7: timestamp: expected a number from 0"},
      {"1\t2\t3\t1e19\n", "shop.inter:2:7: timestamp"},
      {"1\t2\t3\t\n", "shop.inter:2:7: timestamp"},
      {"\t2\t3\t9\n", "shop.inter:2:1: user_id is empty"},
      {"1\t\t3\t9\n", "shop.inter:2:3: item_id is empty"},
      {"1\t2\t3\t4\n1\t2\t3\n", "shop.inter:3:1: expected 4 fields, found 3"},
      {"1\t\xFF\t3\t9\n", "shop.inter:2:3: not valid UTF-8"}};
  for (const auto& [row, message] : cases) {
    expect_error(ExitCode::kBadData, message,
                 [&] { read_interactions(std::string(kHeader) + row); });
  }
}

TEST(AtomicReader, RefusesABrokenHeaderUnderAnyPolicy) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "shop.inter:1:1"},
      {"user_id\titem_id:token\n", "shop.inter:1:1: 'user_id' has no kind"},
      {"user_id:token\titem_id:word\n", "shop.inter:1:15: 'word' is not one of"},
      {"user_id:token\trating:float\n", "there is no column item_id"},
      {"user_id:token\titem_id:token\tuser_id:token\n", "column 'user_id' occurs more than once"}};
  for (const auto& [content, message] : cases) {
    expect_error(ExitCode::kBadData, message, [&] { read_interactions(content, {100, ""}); });
  }
}

TEST(AtomicReader, CountsRejectedRows) {
  const RawData raw =
      read_interactions(std::string(kHeader) + "1\t2\t3\t4\n1\t2\n1\t5\tx\t4\n", {2, ""});
  EXPECT_EQ(raw.rejected_rows, 2);
  EXPECT_EQ(raw.interactions.size(), 1U);
  EXPECT_EQ(raw.items.size(), 1);
}

TEST(AtomicReader, ReadsFieldsOfAllKinds) {
  const TemporaryFolder folder;
  folder.put("shop.inter", std::string(kHeader) + "u1\tz\t3\t4\nu2\ty\t3\t4\n");
  folder.put("shop.item",
             "movie_title:token_seq\titem_id:token\trelease_year:token\tclass:token_seq\t"
             "size:float_seq\tprice:float\n"
             "Two  Words\ty\t1971\tNoir Farce\t1 2.5\t9.75\n"
             "\tx\t\t\t\t\n");
  folder.put("shop.user",
             "user_id:token\tage:token\tgender:token\tzip_code:token\nu2\t30\tM\t0100\n");
  const RawData raw = read_atomic(folder.path());
  EXPECT_EQ(raw.items.size(), 3);
  EXPECT_EQ(raw.items.name(0), "y");
  EXPECT_EQ(raw.item_fields.text("title", 0), "Two  Words");
  EXPECT_EQ(raw.item_fields.text("year", 0), "1971");
  EXPECT_EQ(raw.item_fields.text("genres", 0), "Noir, Farce");
  EXPECT_EQ(raw.item_fields.text("size", 0), "1, 2.5");
  EXPECT_EQ(raw.item_fields.find("size")->numbers_of(0).size(), 2U);
  EXPECT_EQ(raw.item_fields.text("price", 0), "9.75");
  for (const Field& field : raw.item_fields.fields) {
    EXPECT_EQ(raw.item_fields.text(field.name, 1), "") << field.name;
  }
  const std::int32_t user = raw.users.find("u2");
  EXPECT_EQ(raw.user_fields.text("gender", user), "male");
  EXPECT_EQ(raw.user_fields.text("age_group", user), "25-34");
  EXPECT_TRUE(raw.user_fields.find("age_group")->derived);
  EXPECT_EQ(raw.user_fields.text("zip", user), "0100");
}

TEST(AtomicReader, ChecksFieldRows) {
  const std::pair<const char*, const char*> cases[] = {
      {"x\t1\nx\t2\n", "shop.item:3:1: item_id: x occurs more than once"},
      {"x\tmany\n", "shop.item:2:3: price: expected a finite number, found 'many'"},
      {"\t1\n", "shop.item:2:1: item_id is empty"}};
  for (const auto& [rows, message] : cases) {
    const TemporaryFolder folder;
    folder.put("shop.inter", std::string(kHeader) + "u1\tx\t3\t4\n");
    folder.put("shop.item", std::string("item_id:token\tprice:float\n") + rows);
    expect_error(ExitCode::kBadData, message, [&] { read_atomic(folder.path()); });
  }
}

TEST(AtomicReader, FindsTheOneInteractionsFile) {
  const TemporaryFolder folder;
  expect_error(ExitCode::kMissingInput, "no .inter file", [&] { read_atomic(folder.path()); });
  expect_error(ExitCode::kMissingInput, "nowhere", [&] { read_atomic(folder.file("nowhere")); });
  folder.put("a.inter", std::string(kHeader) + "1\t2\t3\t4\n");
  EXPECT_EQ(read_atomic(folder.path()).interactions.size(), 1U);
  folder.put("b.inter", kHeader);
  expect_error(ExitCode::kUsage, "2 .inter files", [&] { read_atomic(folder.path()); });
  EXPECT_EQ(read_atomic(folder.file("a.inter")).interactions.size(), 1U);
}

TEST(AtomicReader, SharesIdsOverSeveralInteractionFiles) {
  const TemporaryFolder folder;
  const std::string train = folder.put("a.inter", "user_id:token\titem_id:token\nu\tx\nv\ty\n");
  const std::string test = folder.put("b.inter", "item_id:token\tuser_id:token\ny\tu\n");
  IdMap users;
  IdMap items;
  std::int64_t rejected = 0;
  read_atomic_interactions(train, {}, users, items, rejected);
  const InteractionTable table = read_atomic_interactions(test, {}, users, items, rejected);
  EXPECT_EQ(table.user, std::vector<std::int32_t>{0});
  EXPECT_EQ(table.item, std::vector<std::int32_t>{1});
}

TEST(LightGcnTxtReader, ReadsUsersWithTheirItems) {
  const TemporaryFolder folder;
  folder.put("train.txt", "0 5 6 7 \n1\n2 5\n");
  folder.put("test.txt", "0 8\n2 6\n");
  const RawData raw = read_light_gcn_txt(folder.path());
  EXPECT_EQ(raw.train_rows, 4);
  EXPECT_EQ(raw.users.size(), 3);
  EXPECT_EQ(raw.interactions.user, (std::vector<std::int32_t>{0, 0, 0, 2, 0, 2}));
  EXPECT_EQ(raw.items.name(raw.interactions.item[4]), "8");
  EXPECT_FALSE(raw.interactions.has_timestamps());
  folder.put("train.txt", "0 5 -1\n");
  expect_error(ExitCode::kBadData, "train.txt:1:5: item id",
               [&] { read_light_gcn_txt(folder.path()); });
  folder.put("train.txt", "a 5\n");
  expect_error(ExitCode::kBadData, "train.txt:1:1: user id",
               [&] { read_light_gcn_txt(folder.path()); });
}

TEST(Registry, ReadsByNameAndListsTheNames) {
  const TemporaryFolder folder;
  folder.put("a.inter", std::string(kHeader) + "1\t2\t3\t4\n");
  EXPECT_EQ(read_dataset("atomic", folder.path(), {}).interactions.size(), 1U);
  expect_error(ExitCode::kUsage, "movielens-100k",
               [&] { read_dataset("movielens", folder.path(), {}); });
}

}  // namespace
}  // namespace rallrec::data
