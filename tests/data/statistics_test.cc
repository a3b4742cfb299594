#include "data/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/data/made_up_data.h"

namespace rallrec::data {
namespace {

using ::testing::HasSubstr;

// Ten samples; user c and item z appear only at the end, and a sees x twice.
Dataset ten_samples() {
  config::DataOptions options;
  options.min_history = 0;
  options.train_share = 0.5;
  options.valid_share = 0.2;
  RawData raw = made_up_raw({{"a", "x", 5, 1},
                             {"a", "y", 1, 2},
                             {"b", "x", 4, 3},
                             {"a", "x", 2, 4},
                             {"b", "y", 5, 5},
                             {"a", "w", 4, 6},
                             {"c", "x", 3, 7},
                             {"c", "z", 5, 8},
                             {"b", "z", 1, 9},
                             {"a", "y", 5, 10}});
  raw.items.add("never");
  raw.rejected_rows = 3;
  return build_dataset(std::move(raw), options);
}

TEST(Statistics, CountsWhatIsThere) {
  const DatasetStatistics statistics = statistics_of(ten_samples());
  EXPECT_EQ(statistics.rows, 10);
  EXPECT_EQ(statistics.users, 3);
  EXPECT_EQ(statistics.items, 5);
  EXPECT_EQ(statistics.used_items, 4);
  EXPECT_EQ(statistics.rejected_rows, 3);
  EXPECT_EQ(statistics.samples(), 10);
  EXPECT_EQ(statistics.samples_with_target_in_history, 2);
  EXPECT_EQ(statistics.longest_history, 4);
  EXPECT_DOUBLE_EQ(statistics.mean_history, (0 + 1 + 0 + 2 + 1 + 3 + 0 + 1 + 2 + 4) / 10.0);
  EXPECT_EQ(statistics.splits[0].samples, 5);
  EXPECT_EQ(statistics.splits[0].positives, 3);
  EXPECT_EQ(statistics.splits[0].unseen_users, 0);
  EXPECT_EQ(statistics.splits[1].samples, 2);
  EXPECT_DOUBLE_EQ(statistics.splits[1].positive_rate(), 0.5);
  EXPECT_EQ(statistics.splits[1].unseen_users, 1);
  EXPECT_EQ(statistics.splits[1].unseen_items, 1);
  EXPECT_EQ(statistics.splits[2].samples, 3);
  EXPECT_EQ(statistics.splits[2].unseen_users, 1);
  EXPECT_EQ(statistics.splits[2].unseen_items, 2);
}

TEST(Statistics, CountsWhatColumnsHold) {
  Dataset dataset = ten_samples();
  FieldBuilder titles("title", FieldKind::kToken);
  titles.add("one");
  titles.end_row();
  titles.end_row();
  titles.add("three");
  titles.end_row();
  dataset.item_fields.fields.push_back(titles.take());
  const DatasetStatistics statistics = statistics_of(dataset);
  ASSERT_EQ(statistics.item_fields.size(), 1U);
  EXPECT_EQ(statistics.item_fields[0].filled, 2);
  EXPECT_EQ(lines_of(statistics)[1], "users without columns; items with title (2)");
}

TEST(Statistics, SaysItInLines) {
  const auto lines = lines_of(statistics_of(ten_samples()));
  ASSERT_EQ(lines.size(), 7U);
  EXPECT_EQ(lines[0], "10 interactions of 3 users with 4 of 5 items");
  EXPECT_EQ(
      lines[1],
      "users without columns; items without columns; without a title, prompts show the items' ids");
  EXPECT_THAT(lines[3], HasSubstr("train: 5 samples, 0.6000 positive"));
  EXPECT_THAT(lines[6], HasSubstr("3 malformed"));
  EXPECT_THAT(lines[6], HasSubstr("2 samples have their own item"));
}

}  // namespace
}  // namespace rallrec::data
