#include "pipeline/history_choice.h"

#include <gtest/gtest.h>

#include "tests/support/expect_error.h"

namespace rallrec::pipeline {
namespace {

using Places = std::vector<std::int32_t>;
using text::View;

// The history t1 … t8 of eq. 8's worked example, as places 0 … 7; K = 4.
const Places kNewest = {7, 6, 5, 4, 3, 2, 1, 0};
const Places kSimilar = {1, 4, 0, 5, 2, 3, 6, 7};

HistoryChoice choose(View view, const std::string& order = "score") {
  config::PromptOptions options;
  options.k = 4;
  options.rerank_order = order;
  return choose_history(view, kNewest, kNewest, kSimilar, rerank_options(options));
}

TEST(HistoryChoice, SimpleShowsTheNewestInTimeOrder) {
  EXPECT_EQ(choose(View::kSimple).shown(9), (Places{4, 5, 6, 7}));
  EXPECT_EQ(choose(View::kSimple).shown(2), (Places{6, 7}));
}

TEST(HistoryChoice, HighShowsTheMostSimilarFirst) {
  EXPECT_EQ(choose(View::kHigh).shown(9), (Places{1, 4, 0, 5}));
  EXPECT_EQ(choose(View::kHigh).shown(2), (Places{1, 4}));
}

TEST(HistoryChoice, SequentialShowsTheSameInTimeOrder) {
  EXPECT_EQ(choose(View::kSequential).shown(9), (Places{0, 1, 4, 5}));
  // The least similar go first, not the oldest.
  EXPECT_EQ(choose(View::kSequential).shown(3), (Places{0, 1, 4}));
  EXPECT_EQ(choose(View::kSequential).shown(2), (Places{1, 4}));
}

TEST(HistoryChoice, RerankFollowsEquation8) {
  EXPECT_EQ(choose(View::kRerank).shown(9), (Places{1, 4, 7, 0}));
  EXPECT_EQ(choose(View::kRerank).shown(3), (Places{1, 4, 7}));
  EXPECT_EQ(choose(View::kRerank, "time").shown(9), (Places{0, 1, 4, 7}));
  EXPECT_EQ(choose(View::kRerank, "time").shown(3), (Places{1, 4, 7}));
}

TEST(HistoryChoice, ShortHistoriesAreShownWhole) {
  config::PromptOptions options;
  const auto rules = rerank_options(options);
  for (const View view : {View::kSimple, View::kHigh, View::kSequential, View::kRerank}) {
    EXPECT_EQ(choose_history(view, {1, 0}, {1, 0}, {1, 0}, rules).shown(30).size(), 2U);
    EXPECT_TRUE(choose_history(view, {}, {}, {}, rules).shown(30).empty());
  }
}

TEST(HistoryChoice, RefusesWrongOptions) {
  config::PromptOptions options;
  options.k = 0;
  rallrec::testing::expect_error(ExitCode::kUsage, "prompt.k", [&] { rerank_options(options); });
  options.k = 3;
  options.rerank_alpha = "4/3";
  rallrec::testing::expect_error(ExitCode::kUsage, "prompt.rerank_alpha",
                                 [&] { rerank_options(options); });
}

}  // namespace
}  // namespace rallrec::pipeline
