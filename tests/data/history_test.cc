#include "data/history.h"

#include <gtest/gtest.h>

#include "tests/data/made_up_data.h"

namespace rallrec::data {
namespace {

Dataset repeated_listening() {
  return build_dataset(made_up_raw({{"u", "a", 1, 1},
                                    {"u", "b", 2, 2},
                                    {"v", "a", 5, 2},
                                    {"u", "a", 3, 3},
                                    {"u", "c", 4, 4},
                                    {"u", "b", 5, 5}}),
                       all_training(0));
}

TEST(History, ShowsOnlyTheUsersEarlierRows) {
  const Dataset dataset = repeated_listening();
  EXPECT_TRUE(history_of(dataset, 0).empty());
  const History last = history_of(dataset, 5);
  ASSERT_EQ(last.size(), 4U);
  EXPECT_EQ(last.rating(3), 4.0F);
  EXPECT_EQ(full_history(dataset, dataset.users.find("u")).size(), 5U);
  EXPECT_EQ(full_history(dataset, dataset.users.find("v")).size(), 1U);
}

TEST(CandidateFilter, KeepsTheNewestOccurrenceOfEachItem) {
  const Dataset dataset = repeated_listening();
  CandidateFilter filter(dataset.items.size());
  const History history = full_history(dataset, dataset.users.find("u"));
  // a b a c b: newest a at 2, c at 3, b at 4.
  EXPECT_EQ(filter.candidates(history), (std::vector<std::int32_t>{2, 3, 4}));
  EXPECT_EQ(filter.candidates(history, dataset.items.find("c")), (std::vector<std::int32_t>{2, 4}));
  EXPECT_EQ(filter.candidates(history_of(dataset, 5)), (std::vector<std::int32_t>{1, 2, 3}));
  EXPECT_TRUE(filter.candidates(history_of(dataset, 0)).empty());
}

}  // namespace
}  // namespace rallrec::data
