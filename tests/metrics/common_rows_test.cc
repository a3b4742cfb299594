#include "metrics/common_rows.h"

#include <gtest/gtest.h>

#include <string>

#include "distributed/local_communicator.h"
#include "metrics/score_file.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::metrics {
namespace {

using rallrec::testing::TemporaryFolder;

std::string line(const std::string& user, int item, int label, double score) {
  return "{\"user\":\"" + user + "\",\"item\":" + std::to_string(item) +
         ",\"timestamp\":7,\"label\":" + std::to_string(label) +
         ",\"score\":" + std::to_string(score) + "}\n";
}

ScoredSamples read(const TemporaryFolder& folder, const std::string& text) {
  distributed::LocalCommunicator local;
  return read_scored_samples(local, folder.put("scores.jsonl", text));
}

TEST(CommonRows, AreThoseOfAllInTheOrderOfTheFirst) {
  const TemporaryFolder folder;
  const ScoredSamples all = read(folder, line("a", 1, 1, 0.1) + line("b", 2, 0, 0.2) +
                                             line("a", 3, 0, 0.3) + line("c", 4, 1, 0.4));
  const ScoredSamples some =
      read(folder, line("c", 4, 1, 0.5) + line("x", 1, 0, 0.6) + line("b", 2, 0, 0.7));
  const auto rows = common_rows({&all, &some});
  ASSERT_EQ(rows.size(), 2U);
  const ScoredSamples from_all = restricted_to(all, rows);
  const ScoredSamples from_some = restricted_to(some, rows);
  EXPECT_EQ(from_all.scores, (std::vector<double>{0.2, 0.4}));
  EXPECT_EQ(from_some.scores, (std::vector<double>{0.7, 0.5}));
  EXPECT_TRUE(same_samples(from_all, from_some));
  EXPECT_EQ(from_some.user_names, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(from_all.rows, rows);
}

TEST(CommonRows, ARepeatedRowCountsAsOftenAsInTheSetWithTheFewest) {
  const TemporaryFolder folder;
  const std::string twice = line("a", 1, 1, 0.1) + line("a", 1, 1, 0.2);
  const ScoredSamples three = read(folder, twice + line("a", 1, 1, 0.3) + line("b", 1, 0, 0.4));
  const ScoredSamples two = read(folder, twice + line("b", 1, 0, 0.5));
  const auto rows = common_rows({&three, &two});
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(restricted_to(three, rows).scores, (std::vector<double>{0.1, 0.2, 0.4}));
  EXPECT_EQ(restricted_to(two, rows).scores, (std::vector<double>{0.1, 0.2, 0.5}));
}

TEST(CommonRows, AFileThatDoesNotSayItsRowsHasNone) {
  const TemporaryFolder folder;
  const ScoredSamples known = read(folder, line("a", 1, 1, 0.1) + line("b", 2, 0, 0.2));
  const ScoredSamples unknown =
      read(folder, line("a", 1, 1, 0.1) + "{\"user\":\"b\",\"label\":0,\"score\":0.2}\n");
  EXPECT_EQ(known.rows.size(), 2U);
  EXPECT_TRUE(unknown.rows.empty());
  EXPECT_TRUE(common_rows({&known, &unknown}).empty());
  EXPECT_TRUE(common_rows({}).empty());
}

}  // namespace
}  // namespace rallrec::metrics
