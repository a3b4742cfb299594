#include "data/row_order.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "data/graph_edges.h"
#include "data/history.h"
#include "tests/data/made_up_data.h"
#include "tests/support/expect_error.h"

namespace rallrec::data {
namespace {

using Names = std::vector<std::string>;

// Users with 5, 1 and 4 rows without timestamps; 20 comes before 3 in the file, not by number.
RawData untimed_rows() {
  RawData raw = made_up_raw({{"20", "a", 1, 0},
                             {"20", "b", 2, 0},
                             {"3", "a", 3, 0},
                             {"20", "c", 4, 0},
                             {"7", "b", 5, 0},
                             {"3", "c", 6, 0},
                             {"20", "d", 7, 0},
                             {"3", "d", 8, 0},
                             {"20", "e", 9, 0},
                             {"3", "e", 10, 0}});
  raw.interactions.timestamp.clear();
  return raw;
}

config::DataOptions options_of(const std::string& order, const std::string& samples,
                               const std::string& split) {
  config::DataOptions options;
  options.order = order;
  options.samples = samples;
  options.split = split;
  options.min_history = 2;
  options.train_share = 0.5;
  options.valid_share = 0.0;
  return options;
}

std::vector<float> ratings_of(const Dataset& dataset, const std::string& user) {
  std::vector<float> ratings;
  const History history = full_history(dataset, dataset.users.find(user));
  for (std::size_t k = 0; k < history.size(); ++k) ratings.push_back(history.rating(k));
  return ratings;
}

TEST(RowOrder, TheFileOrdersWhatHasNoTimestamps) {
  const Dataset dataset = build_dataset(untimed_rows(), options_of("file", "all", "ordered"));
  EXPECT_FALSE(dataset.time_ordered);
  EXPECT_TRUE(dataset.interactions.timestamp.empty());
  EXPECT_EQ(dataset.interactions.rating, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}));
  EXPECT_EQ(dataset.samples.row, (std::vector<std::int32_t>{3, 6, 7, 8, 9}));
  testing::expect_error(ExitCode::kBadData, "data.order", [] {
    build_dataset(untimed_rows(), options_of("time", "all", "ordered"));
  });
}

// By hand, from Python's shuffles of 4 and 5: [2, 1, 3, 0] and [3, 1, 2, 4, 0].
TEST(RowOrder, ShufflesEveryUsersRowsByTheSameSeed) {
  const Dataset dataset = build_dataset(untimed_rows(), options_of("shuffle", "all", "ordered"));
  EXPECT_EQ(ratings_of(dataset, "20"), (std::vector<float>{7, 2, 4, 9, 1}));
  EXPECT_EQ(ratings_of(dataset, "3"), (std::vector<float>{8, 6, 10, 3}));
  EXPECT_EQ(dataset.interactions.rating, (std::vector<float>{7, 2, 4, 9, 1, 8, 6, 10, 3, 5}));
  config::DataOptions other = options_of("shuffle", "all", "ordered");
  other.seed = 43;
  EXPECT_NE(ratings_of(build_dataset(untimed_rows(), other), "20"), ratings_of(dataset, "20"));
}

TEST(RowOrder, TheLastOfEachUserIsTheSample) {
  const Dataset dataset =
      build_dataset(untimed_rows(), options_of("shuffle", "last_per_user", "ordered"));
  ASSERT_EQ(dataset.samples.size(), 2);  // 7 has no history
  EXPECT_EQ(dataset.users.name(dataset.sample_user(0)), "20");
  EXPECT_EQ(dataset.sample_rating(0), 1);
  EXPECT_EQ(history_of(dataset, 0).size(), 4U);
  EXPECT_EQ(dataset.sample_rating(1), 3);
}

// Users u0 … u10 with 3 rows each and w with one; ratings tell the rows apart.
RawData many_users() {
  std::vector<MadeUpRow> rows;
  for (int k = 0; k < 33; ++k) {
    rows.push_back(
        {"u" + std::to_string(k % 11), "i" + std::to_string(k), static_cast<float>(k), k});
  }
  rows.push_back({"w", "i0", 99, 50});
  return made_up_raw(rows);
}

TEST(RowOrder, AShuffledSplitPutsTargetsBehindEverything) {
  const Dataset dataset =
      build_dataset(many_users(), options_of("time", "last_per_user", "shuffle"));
  EXPECT_FALSE(dataset.time_ordered);
  ASSERT_EQ(dataset.samples.size(), 11);
  // random.seed(42); random.shuffle(list(range(11))): the targets in time order are u0 … u10.
  const Names expected = {"u7", "u3", "u2", "u8", "u5", "u6", "u9", "u4", "u0", "u1", "u10"};
  for (std::int32_t sample = 0; sample < 11; ++sample) {
    EXPECT_EQ(dataset.users.name(dataset.sample_user(sample)), expected[sample]);
    EXPECT_GE(dataset.sample_rating(sample), 22);
    EXPECT_EQ(dataset.samples.row[sample], 23 + sample);
    const History history = history_of(dataset, sample);
    ASSERT_EQ(history.size(), 2U);
    EXPECT_EQ(history.rating(1) - history.rating(0), 11);
  }
  EXPECT_EQ(dataset.samples.train_end, 5);
}

TEST(RowOrder, TheGraphOfAShuffledSplitHasNoTargetOfTest) {
  const Dataset dataset =
      build_dataset(many_users(), options_of("time", "last_per_user", "shuffle"));
  const EdgeList edges = edges_up_to_last_train(dataset, 0.0);
  EXPECT_EQ(edges.size(), 23U + 5U);
  for (std::int32_t sample = dataset.samples.train_end; sample < 11; ++sample) {
    for (std::size_t edge = 0; edge < edges.size(); ++edge) {
      EXPECT_FALSE(edges.user[edge] == dataset.sample_user(sample) &&
                   edges.item[edge] == dataset.sample_item(sample));
    }
  }
}

TEST(RowOrder, AShuffledSplitOfAllRowsIsRefused) {
  EXPECT_THROW(build_dataset(many_users(), options_of("time", "all", "shuffle")), Error);
}

}  // namespace
}  // namespace rallrec::data
