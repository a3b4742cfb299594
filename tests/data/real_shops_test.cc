// The counts that the Book-Crossing subset and the Amazon sample must give. The files are not part
// of the repository; where they are absent these tests say so and skip.
#include <gtest/gtest.h>

#include "data/datasets/amazon.h"
#include "data/datasets/book_crossing.h"
#include "data/filters.h"
#include "tests/data/dataset_counts.h"
#include "tests/data/shared_data.h"

namespace rallrec::data {
namespace {

std::string books() { return shared_data_dir() + "/bookcrossing"; }
std::string shop() { return shared_data_dir() + "/amazon-movies-tv"; }

// Rows, users and items with a row after the filters.
struct Size {
  std::size_t rows = 0;
  std::size_t users = 0;
  std::size_t items = 0;
  bool operator==(const Size& other) const {
    return rows == other.rows && users == other.users && items == other.items;
  }
};

std::ostream& operator<<(std::ostream& out, const Size& size) {
  return out << size.rows << " rows, " << size.users << " users, " << size.items << " items";
}

Size size_of(const InteractionTable& table) {
  const std::set<std::int32_t> users(table.user.begin(), table.user.end());
  const std::set<std::int32_t> items(table.item.begin(), table.item.end());
  return {table.size(), users.size(), items.size()};
}

Size filtered(RawData raw, const config::DataOptions& options) {
  apply_filters(raw, options);
  return size_of(raw.interactions);
}

config::DataOptions plain_core(std::int64_t users, std::int64_t items) {
  config::DataOptions options;
  options.core_min_user_rows = users;
  options.core_min_item_rows = items;
  return options;
}

// The rules of the public code on Book-Crossing, with a valid split set aside of the 90 % of train.
config::DataOptions book_options() {
  config::DataOptions options = plain_core(11, 10);
  options.core_max_user_rows = 200;
  options.core_keeps = "items";
  options.required_fields = {"title"};
  options.min_user_rows = 5;
  options.order = "shuffle";
  options.samples = "last_per_user";
  options.split = "shuffle";
  options.min_history = 4;
  options.train_share = 0.81;
  options.valid_share = 0.09;
  options.label_threshold = 4;
  return options;
}

TEST(BookCrossing, HasTheRowsOfTheSubset) {
  if (is_absent(books() + "/BX-Ratings.csv")) GTEST_SKIP();
  const RawData raw = read_book_crossing(books());
  EXPECT_EQ(size_of(raw.interactions), (Size{204164, 48299, 18185}));
  EXPECT_EQ(raw.users.size(), 48299);
  EXPECT_EQ(raw.items.size(), 18185);
  EXPECT_EQ(raw.rejected_rows, 0);
  const std::vector<float>& ratings = raw.interactions.rating;
  const auto share_from = [&](float least) {
    const auto count = std::count_if(ratings.begin(), ratings.end(),
                                     [&](float rating) { return rating >= least; });
    return static_cast<double>(count) / static_cast<double>(ratings.size());
  };
  EXPECT_NEAR(share_from(5), .95935, .000005);
  EXPECT_NEAR(share_from(8), .6081, .00005);
  for (std::int32_t item = 0; item < raw.items.size(); ++item) {
    ASSERT_NE(raw.item_fields.text("title", item), "") << raw.items.name(item);
  }
  // Written as python prints it, this title takes all kinds of quotes.
  EXPECT_EQ(raw.item_fields.text("title", raw.items.find("1558743669")).substr(0, 21),
            "A Child Called \\It\\\":");
}

TEST(BookCrossing, HasThePublishedCores) {
  if (is_absent(books() + "/BX-Ratings.csv")) GTEST_SKIP();
  EXPECT_EQ(filtered(read_book_crossing(books()), plain_core(5, 5)), (Size{110501, 6564, 8771}));
  EXPECT_EQ(filtered(read_book_crossing(books()), plain_core(10, 10)), (Size{39185, 1723, 1937}));
  config::DataOptions options;
  options.min_user_rows = 5;
  EXPECT_EQ(filtered(read_book_crossing(books()), options), (Size{144681, 8051, 18023}));
  options = plain_core(11, 10);
  options.core_max_user_rows = 200;
  EXPECT_EQ(filtered(read_book_crossing(books()), options), (Size{23665, 1119, 1193}));
  options.core_order = "items_first";
  EXPECT_EQ(filtered(read_book_crossing(books()), options), (Size{28474, 1271, 1430}));
}

// Beyond the counts: targets, splits and fields against a Python script that follows the code.
TEST(BookCrossing, GivesTheSamplesOfThePublicCode) {
  if (is_absent(books() + "/BX-Ratings.csv")) GTEST_SKIP();
  const Dataset dataset = build_dataset(read_book_crossing(books()), book_options());
  EXPECT_EQ(size_of(dataset.interactions), (Size{38307, 2991, 1193}));
  EXPECT_EQ(dataset.items.size(), 1193);
  EXPECT_EQ(split_sizes(dataset), (std::array<int, 3>{2422, 269, 300}));
  EXPECT_EQ(positives(dataset), (std::array<int, 3>{2338, 263, 285}));
  EXPECT_EQ(dataset.users.name(dataset.sample_user(0)), "262151");
  EXPECT_EQ(dataset.items.name(dataset.sample_item(0)), "0743418174");
  EXPECT_EQ(dataset.users.name(dataset.sample_user(2990)), "242106");
  EXPECT_EQ(dataset.items.name(dataset.sample_item(2990)), "0553578308");
  EXPECT_EQ(cardinality(dataset.user_fields, "age_group"), 11U);
  EXPECT_EQ(cardinality(dataset.item_fields, "title"), 1090U);
  EXPECT_EQ(cardinality(dataset.item_fields, "author"), 480U);
  EXPECT_EQ(cardinality(dataset.item_fields, "year"), 37U);
  EXPECT_EQ(cardinality(dataset.item_fields, "publisher"), 166U);
  config::DataOptions options = book_options();
  options.label_threshold = 7;
  EXPECT_EQ(positives(build_dataset(read_book_crossing(books()), options)),
            (std::array<int, 3>{1563, 173, 194}));
}

TEST(BookCrossing, LeavesNoTestTargetInTheCleanGraph) {
  if (is_absent(books() + "/BX-Ratings.csv")) GTEST_SKIP();
  const Dataset dataset = build_dataset(read_book_crossing(books()), book_options());
  const EdgeSplit clean = light_gcn_edges(dataset, "up_to_last_train", 0.0);
  EXPECT_EQ(clean.train.size(), 38307U - 569U);
  EXPECT_EQ(test_edges(dataset, clean.train).leaked, 0);
  const EdgeSplit leaky = light_gcn_edges(dataset, "leave_one_out", 0.0, 5);
  EXPECT_EQ(leaky.held_out.size(), 2413U);
  EXPECT_EQ(leaky.train.size(), 38307U - 2413U);
}

config::DataOptions titled() {
  config::DataOptions options;
  options.required_fields = {"title"};
  return options;
}

TEST(Amazon, HasTheRowsOfTheSample) {
  if (is_absent(shop() + "/reviews_sample_25.csv")) GTEST_SKIP();
  RawData raw = read_amazon(shop());
  EXPECT_EQ(size_of(raw.interactions), (Size{57019, 2579, 3107}));
  const auto liked = [&] {
    const std::vector<float>& ratings = raw.interactions.rating;
    return std::count_if(ratings.begin(), ratings.end(), [](float rating) { return rating > 3; });
  };
  EXPECT_EQ(liked(), 40411);
  EXPECT_EQ(raw.item_fields.find("title")->rows(), 7333);
  EXPECT_EQ(apply_filters(raw, titled()), 57019 - 56475);
  EXPECT_EQ(size_of(raw.interactions), (Size{56475, 2579, 3084}));
  EXPECT_EQ(liked(), 40006);
  std::set<std::string> categories;
  std::set<std::string> titles;
  std::set<std::int32_t> with_category;
  for (const std::int32_t item : raw.interactions.item) {
    const std::string category = raw.item_fields.text("category", item);
    if (category != kUnknown) with_category.insert(item);
    categories.insert(category);
    titles.insert(raw.item_fields.text("title", item));
  }
  EXPECT_EQ(with_category.size(), 1031U);
  EXPECT_EQ(categories.size(), 71U);
  EXPECT_EQ(titles.size(), 3072U);
}

TEST(Amazon, GivesThePublishedSamples) {
  if (is_absent(shop() + "/reviews_sample_25.csv")) GTEST_SKIP();
  const Dataset dataset = build_dataset(read_amazon(shop()), titled());
  EXPECT_EQ(split_sizes(dataset), (std::array<int, 3>{34864, 4358, 4358}));
  EXPECT_EQ(positives(dataset), (std::array<int, 3>{24289, 3107, 3246}));
  EXPECT_TRUE(unseen_in_test(dataset) == (Unseen{2771, 1818}));
  const EdgeSplit leaky = light_gcn_edges(dataset, "leave_one_out_of_samples", 0.0, 5);
  EXPECT_EQ(leaky.train.size(), 41686U);
  EXPECT_EQ(leaky.held_out.size(), 1894U);
  EXPECT_EQ(test_edges(dataset, leaky.train).leaked, 3699);
  const EdgeSplit clean = light_gcn_edges(dataset, "up_to_last_train", 0.0);
  EXPECT_EQ(clean.train.size(), 45769U);
  EXPECT_EQ(test_edges(dataset, clean.train).leaked, 0);
  EXPECT_EQ(test_edges(dataset, clean.train).cold, 1815);
  config::DataOptions options = titled();
  options.deduplicate = true;
  EXPECT_EQ(build_dataset(read_amazon(shop()), options).repeated_rows, 0);
}

TEST(Amazon, HasThePublishedCore) {
  if (is_absent(shop() + "/reviews_sample_25.csv")) GTEST_SKIP();
  config::DataOptions options = plain_core(11, 10);
  options.core_max_user_rows = 200;
  options.core_max_item_rows = 200;
  options.required_fields = {"title"};
  const Dataset dataset = build_dataset(read_amazon(shop()), options);
  EXPECT_EQ(size_of(dataset.interactions), (Size{34256, 1402, 1918}));
  EXPECT_EQ(dataset.items.size(), 1918);
  EXPECT_EQ(split_sizes(dataset), (std::array<int, 3>{21796, 2724, 2726}));
  options.core_order = "together";
  EXPECT_EQ(filtered(read_amazon(shop()), options), (Size{34256, 1402, 1918}));
  options.core_order = "items_first";
  EXPECT_EQ(filtered(read_amazon(shop()), options).rows, 34980U);
}

}  // namespace
}  // namespace rallrec::data
