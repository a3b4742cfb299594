#include "data/interaction_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "core/rng.h"
#include "data/samples.h"

namespace rallrec::data {
namespace {

InteractionTable random_table(std::size_t rows) {
  Rng rng(7);
  InteractionTable table;
  for (std::size_t row = 0; row < rows; ++row) {
    table.user.push_back(static_cast<std::int32_t>(rng.next_below(5)));
    table.item.push_back(static_cast<std::int32_t>(rng.next_below(6)));
    table.rating.push_back(static_cast<float>(row));
    table.timestamp.push_back(static_cast<std::int64_t>(rng.next_below(4)));
  }
  return table;
}

TEST(InteractionTable, OrdersByTimeUserItemThenFileRow) {
  InteractionTable table = random_table(301);
  using Key = std::tuple<std::int64_t, std::int32_t, std::int32_t, float>;
  std::vector<Key> expected;
  for (std::size_t row = 0; row < table.size(); ++row) {
    expected.emplace_back(table.timestamp[row], table.user[row], table.item[row],
                          table.rating[row]);
  }
  std::sort(expected.begin(), expected.end());
  table.select(time_order(table));
  ASSERT_EQ(table.size(), expected.size());
  for (std::size_t row = 0; row < table.size(); ++row) {
    EXPECT_EQ(Key(table.timestamp[row], table.user[row], table.item[row], table.rating[row]),
              expected[row]);
  }
}

TEST(InteractionTable, OrdersByUserAndItemWhereThereIsNoTime) {
  InteractionTable table;
  table.user = {1, 0, 1};
  table.item = {0, 5, 3};
  EXPECT_FALSE(table.has_timestamps());
  table.item = {3, 5, 0};
  EXPECT_EQ(time_order(table), (std::vector<std::int32_t>{1, 2, 0}));
  table.select({1});
  EXPECT_EQ(table.item, std::vector<std::int32_t>{5});
  EXPECT_TRUE(table.rating.empty());
}

TEST(InteractionTable, KeepsTheLastRowOfEachPair) {
  InteractionTable table = random_table(200);
  table.select(time_order(table));
  std::vector<std::int32_t> expected;
  for (std::size_t row = 0; row < table.size(); ++row) {
    bool repeated_later = false;
    for (std::size_t later = row + 1; later < table.size(); ++later) {
      repeated_later |=
          table.user[later] == table.user[row] && table.item[later] == table.item[row];
    }
    if (!repeated_later) expected.push_back(static_cast<std::int32_t>(row));
  }
  EXPECT_EQ(newest_of_pairs(table, make_timelines(table, 5), 6), expected);
  EXPECT_LT(expected.size(), table.size());
}

TEST(InteractionTable, HandlesNoRows) {
  InteractionTable table;
  EXPECT_TRUE(time_order(table).empty());
  EXPECT_TRUE(newest_of_pairs(table, make_timelines(table, 0), 0).empty());
}

}  // namespace
}  // namespace rallrec::data
