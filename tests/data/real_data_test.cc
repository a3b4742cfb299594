// The counts that the MovieLens files must give under the rules of the samples. The files may not
// be redistributed; where they are absent these tests say so and skip.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

#include "data/dataset.h"
#include "data/datasets/atomic.h"
#include "data/datasets/movielens.h"
#include "data/graph_edges.h"
#include "io/utf8.h"
#include "tests/data/dataset_counts.h"
#include "tests/data/shared_data.h"

namespace rallrec::data {
namespace {

std::size_t first_genres(const FieldTable& table) {
  std::set<std::int32_t> first;
  const Field* genres = table.find("genres");
  for (std::int32_t row = 0; row < genres->rows(); ++row) {
    if (!genres->codes_of(row).empty()) first.insert(genres->codes_of(row)[0]);
  }
  return first.size();
}

TEST(MovieLens100k, GivesThePublishedSamples) {
  const std::string folder = shared_data_dir() + "/ml-100k";
  if (is_absent(folder + "/u.data")) GTEST_SKIP();
  const Dataset dataset = build_dataset(read_movielens_100k(folder), paper_options(5));
  EXPECT_EQ(dataset.interactions.size(), 100000U);
  EXPECT_EQ(dataset.users.size(), 943);
  EXPECT_EQ(dataset.items.size(), 1682);
  EXPECT_EQ(dataset.samples.size(), 95285);
  EXPECT_EQ(split_sizes(dataset), (std::array<int, 3>{76228, 9528, 9529}));
  EXPECT_EQ(positives(dataset), (std::array<int, 3>{41817, 5389, 5354}));
  EXPECT_TRUE(unseen_in_test(dataset) == (Unseen{8147, 143}));
  EXPECT_EQ(cardinality(dataset.user_fields, "age"), 61U);
  EXPECT_EQ(cardinality(dataset.user_fields, "gender"), 2U);
  EXPECT_EQ(cardinality(dataset.user_fields, "occupation"), 21U);
  EXPECT_EQ(cardinality(dataset.user_fields, "zip"), 795U);
  EXPECT_EQ(cardinality(dataset.item_fields, "title"), 1664U);
  EXPECT_EQ(first_genres(dataset.item_fields), 19U);
  const std::int32_t unknown = dataset.items.find("267");
  EXPECT_EQ(dataset.item_fields.text("year", unknown), "");
  EXPECT_EQ(dataset.item_fields.text("year", dataset.items.find("1412")), "");
  EXPECT_EQ(dataset.item_fields.text("year", dataset.items.find("1")), "1995");
}

TEST(MovieLens100k, GivesThePublishedEdges) {
  const std::string folder = shared_data_dir() + "/ml-100k";
  if (is_absent(folder + "/u.data")) GTEST_SKIP();
  const Dataset dataset = build_dataset(read_movielens_100k(folder), paper_options(5));
  const EdgeSplit leaky = light_gcn_edges(dataset, "leave_one_out", 0.0);
  EXPECT_EQ(leaky.train.size(), 99060U);
  EXPECT_EQ(leaky.held_out.size(), 940U);
  EXPECT_EQ(test_edges(dataset, leaky.train).leaked, 9365);
  const EdgeSplit clean = light_gcn_edges(dataset, "up_to_last_train", 0.0);
  EXPECT_EQ(clean.train.size(), 79979U);
  EXPECT_EQ(test_edges(dataset, clean.train).leaked, 0);
  EXPECT_EQ(test_edges(dataset, clean.train).cold, 143);
}

TEST(MovieLens100k, GivesThePublishedSplitOfAllRows) {
  const std::string folder = shared_data_dir() + "/ml-100k";
  if (is_absent(folder + "/u.data")) GTEST_SKIP();
  config::DataOptions options = paper_options(0);
  options.deduplicate = true;
  const Dataset dataset = build_dataset(read_movielens_100k(folder), options);
  EXPECT_EQ(dataset.repeated_rows, 0);
  EXPECT_EQ(split_sizes(dataset), (std::array<int, 3>{80000, 10000, 10000}));
  EXPECT_EQ(positives(dataset), (std::array<int, 3>{44072, 5674, 5629}));
  EXPECT_TRUE(unseen_in_test(dataset) == (Unseen{8582, 149}));
}

// The demo's files, which set-up fetches.
TEST(MovieLens100k, GivesThePublishedSamplesFromAtomicFiles) {
  const std::string folder = RALLREC_SOURCE_DIR "/.deps/data/ml-100k";
  if (is_absent(folder + "/ml-100k.inter")) GTEST_SKIP();
  const Dataset dataset = build_dataset(read_atomic(folder), paper_options(5));
  EXPECT_EQ(dataset.users.size(), 943);
  EXPECT_EQ(dataset.items.size(), 1682);
  EXPECT_EQ(split_sizes(dataset), (std::array<int, 3>{76228, 9528, 9529}));
  EXPECT_EQ(positives(dataset), (std::array<int, 3>{41817, 5389, 5354}));
  EXPECT_TRUE(unseen_in_test(dataset) == (Unseen{8147, 143}));
  EXPECT_EQ(dataset.item_fields.text("title", dataset.items.find("1")), "Toy Story");
  EXPECT_EQ(dataset.item_fields.text("year", dataset.items.find("1")), "1995");
  EXPECT_EQ(cardinality(dataset.user_fields, "age"), 61U);
  EXPECT_EQ(cardinality(dataset.user_fields, "zip"), 795U);
}

TEST(MovieLens100k, TheAtomicFilesGiveTheSameSamples) {
  const std::string folder = shared_data_dir() + "/ml-100k";
  const std::string atomic = RALLREC_SOURCE_DIR "/.deps/data/ml-100k";
  if (is_absent(folder + "/u.data") || is_absent(atomic + "/ml-100k.inter")) GTEST_SKIP();
  const Dataset raw = build_dataset(read_movielens_100k(folder), paper_options(5));
  const Dataset same = build_dataset(read_atomic(atomic), paper_options(5));
  ASSERT_EQ(same.items.size(), raw.items.size());
  EXPECT_EQ(same.interactions.user, raw.interactions.user);
  EXPECT_EQ(same.interactions.item, raw.interactions.item);
  EXPECT_EQ(same.interactions.rating, raw.interactions.rating);
  EXPECT_EQ(same.interactions.timestamp, raw.interactions.timestamp);
  EXPECT_EQ(same.samples.row, raw.samples.row);
  EXPECT_EQ(same.samples.position, raw.samples.position);
  EXPECT_EQ(same.samples.label, raw.samples.label);
  for (std::int32_t user = 0; user < raw.users.size(); ++user) {
    for (const char* field : {"gender", "age", "age_group", "occupation", "zip"}) {
      ASSERT_EQ(same.user_fields.text(field, user), raw.user_fields.text(field, user)) << field;
    }
  }
  EXPECT_EQ(same.item_fields.text("title", 0), "Toy Story");
  EXPECT_EQ(same.item_fields.text("genres", 0), raw.item_fields.text("genres", 0));
}

TEST(MovieLens1m, GivesThePublishedSamplesOfTheFirstUsers) {
  const std::string ratings = shared_data_dir() + "/ml-1m/ratings_users1-300_raw.dat";
  if (is_absent(ratings)) GTEST_SKIP();
  const Dataset dataset = build_dataset(read_movielens_1m(ratings), paper_options(5));
  EXPECT_EQ(dataset.interactions.size(), 43745U);
  EXPECT_EQ(dataset.users.size(), 300);
  EXPECT_EQ(rated_items(dataset), 3012);
  EXPECT_EQ(dataset.items.size(), 3883);
  EXPECT_EQ(split_sizes(dataset), (std::array<int, 3>{33796, 4224, 4225}));
  EXPECT_EQ(positives(dataset), (std::array<int, 3>{19827, 2468, 2458}));
  EXPECT_TRUE(unseen_in_test(dataset) == (Unseen{135, 127}));
  EXPECT_EQ(cardinality(dataset.user_fields, "gender"), 2U);
  EXPECT_EQ(cardinality(dataset.user_fields, "age"), 7U);
  EXPECT_EQ(cardinality(dataset.user_fields, "occupation"), 21U);
  EXPECT_EQ(cardinality(dataset.user_fields, "zip"), 267U);
  EXPECT_EQ(first_genres(dataset.item_fields), 18U);
  const EdgeSplit leaky = light_gcn_edges(dataset, "leave_one_out", 0.0);
  EXPECT_EQ(leaky.train.size(), 43450U);
  EXPECT_EQ(leaky.held_out.size(), 295U);
  EXPECT_EQ(test_edges(dataset, leaky.train).leaked, 4158);
  const EdgeSplit clean = light_gcn_edges(dataset, "up_to_last_train", 0.0);
  EXPECT_EQ(clean.train.size(), 35231U);
  EXPECT_EQ(test_edges(dataset, clean.train).leaked, 0);
  EXPECT_EQ(test_edges(dataset, clean.train).cold, 124);
  EXPECT_EQ(all_edges(dataset, 4.0).size(), 25617U);
}

TEST(MovieLens1m, ReadsRatingsWithoutTimestamps) {
  const std::string ratings = shared_data_dir() + "/ml-1m/ratings_notime.dat";
  if (is_absent(ratings)) GTEST_SKIP();
  const RawData raw = read_movielens_1m(ratings);
  EXPECT_EQ(raw.interactions.size(), 1000209U);
  EXPECT_FALSE(raw.interactions.has_timestamps());
  std::array<int, 6> stars{};
  for (const float rating : raw.interactions.rating) ++stars[static_cast<int>(rating)];
  EXPECT_EQ(stars, (std::array<int, 6>{0, 56174, 107557, 261197, 348971, 226310}));
  const std::set<std::int32_t> items(raw.interactions.item.begin(), raw.interactions.item.end());
  EXPECT_EQ(items.size(), 3706U);
  std::vector<std::int64_t> rows_of_user(static_cast<std::size_t>(raw.users.size()), 0);
  for (const std::int32_t user : raw.interactions.user) ++rows_of_user[user];
  std::int64_t samples = 0;
  for (const std::int64_t rows : rows_of_user) samples += std::max<std::int64_t>(0, rows - 5);
  EXPECT_EQ(samples, 970009);
  const EdgeSplit split = [&] {
    EdgeList edges;
    for (std::size_t row = 0; row < raw.interactions.size(); ++row) {
      edges.add(raw.interactions.user[row], raw.interactions.item[row]);
    }
    return hold_out_newest(edges, raw.users.size(), raw.items.size());
  }();
  EXPECT_EQ(split.train.size() + split.held_out.size(), 1000209U);
}

TEST(MovieLens1m, ReadsEveryProfileAndTitle) {
  const std::string ratings = shared_data_dir() + "/ml-1m/ratings_notime.dat";
  if (is_absent(ratings)) GTEST_SKIP();
  const RawData raw = read_movielens_1m(ratings);
  EXPECT_EQ(raw.users.size(), 6040);
  EXPECT_EQ(raw.items.size(), 3883);
  int female = 0;
  int dashed = 0;
  for (std::int32_t user = 0; user < raw.users.size(); ++user) {
    female += raw.user_fields.text("gender", user) == "female" ? 1 : 0;
    dashed += raw.user_fields.text("zip", user).find('-') != std::string::npos ? 1 : 0;
    EXPECT_NE(raw.user_fields.text("age_group", user), "");
  }
  EXPECT_EQ(female, 1709);
  EXPECT_EQ(dashed, 66);
  EXPECT_EQ(cardinality(raw.user_fields, "zip"), 3439U);
  int accented = 0;
  int apostrophes = 0;
  for (std::int32_t item = 0; item < raw.items.size(); ++item) {
    const std::string title = raw.item_fields.text("title", item);
    const bool ascii = std::all_of(title.begin(), title.end(), [](char c) { return c > 0; });
    accented += ascii ? 0 : 1;
    EXPECT_EQ(io::find_invalid_utf8(title), std::string::npos) << title;
    apostrophes += title.find('\'') != std::string::npos ? 1 : 0;
    EXPECT_EQ(raw.item_fields.text("year", item).size(), 4U) << title;
  }
  EXPECT_EQ(accented, 50);
  EXPECT_EQ(apostrophes, 217);
}

}  // namespace
}  // namespace rallrec::data
