#include "pipeline/prompt_samples.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/error.h"

namespace rallrec::pipeline {
namespace {

data::SampleTable table(std::int32_t train, std::int32_t valid, std::int32_t test) {
  data::SampleTable samples;
  samples.row.resize(static_cast<std::size_t>(train + valid + test));
  samples.train_end = train;
  samples.valid_end = train + valid;
  return samples;
}

config::PromptOptions counts(std::int64_t train, std::int64_t valid, std::int64_t test) {
  config::PromptOptions options;
  options.train_samples = train;
  options.valid_samples = valid;
  options.test_samples = test;
  return options;
}

TEST(PromptSamples, DrawsDistinctSamplesInsideTheirSplits) {
  const PromptSamples chosen = prompt_samples(table(1000, 100, 50), counts(64, 32, 7));
  const std::set<std::int32_t> train(chosen.train.begin(), chosen.train.end());
  ASSERT_EQ(train.size(), 64U);
  EXPECT_LT(*train.rbegin(), 1000);
  EXPECT_FALSE(std::is_sorted(chosen.train.begin(), chosen.train.end()));
  const std::set<std::int32_t> valid(chosen.valid.begin(), chosen.valid.end());
  ASSERT_EQ(valid.size(), 32U);
  EXPECT_GE(*valid.begin(), 1000);
  EXPECT_LT(*valid.rbegin(), 1100);
  EXPECT_TRUE(std::is_sorted(chosen.valid.begin(), chosen.valid.end()));
  EXPECT_EQ(chosen.test, (std::vector<std::int32_t>{1100, 1101, 1102, 1103, 1104, 1105, 1106}));
}

TEST(PromptSamples, TestSamplesAreTheFirstOrDrawnFromAll) {
  const auto samples = table(1000, 100, 500);
  config::PromptOptions options = counts(10, 10, 50);
  options.test_draw = "random";
  const std::vector<std::int32_t> drawn = prompt_samples(samples, options).test;
  ASSERT_EQ(std::set<std::int32_t>(drawn.begin(), drawn.end()).size(), 50U);
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
  EXPECT_GE(drawn.front(), 1100);
  EXPECT_LT(drawn.back(), 1600);
  EXPECT_GT(drawn.back(), 1500);
  options.test_draw = "first";
  EXPECT_EQ(prompt_samples(samples, options).test.back(), 1149);
  options.test_draw = "random";
  options.test_samples = 0;
  EXPECT_EQ(prompt_samples(samples, options).test.size(), 500U);
}

TEST(PromptSamples, TestSamplesMayBeOfTheValidSplit) {
  const auto samples = table(1000, 100, 500);
  config::PromptOptions options = counts(10, 20, 50);
  options.test_split = "valid";
  options.test_draw = "random";
  const PromptSamples chosen = prompt_samples(samples, options);
  ASSERT_EQ(std::set<std::int32_t>(chosen.test.begin(), chosen.test.end()).size(), 50U);
  EXPECT_GE(chosen.test.front(), 1000);
  EXPECT_LT(chosen.test.back(), 1100);
  const std::vector<std::int32_t> all = chosen.all();
  EXPECT_EQ(std::set<std::int32_t>(all.begin(), all.end()).size(), all.size());
}

TEST(PromptSamples, ZeroOrTooManyTakesTheWholeSplit) {
  for (const std::int64_t count : {0, 5000}) {
    const PromptSamples chosen = prompt_samples(table(9, 4, 3), counts(count, count, count));
    EXPECT_EQ(chosen.train.size(), 9U);
    EXPECT_EQ(chosen.all(),
              (std::vector<std::int32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}));
  }
}

TEST(PromptSamples, ALargerDrawKeepsTheSmallerOne) {
  const auto samples = table(500, 50, 50);
  const auto small = prompt_samples(samples, counts(10, 5, 5)).train;
  const auto large = prompt_samples(samples, counts(100, 5, 5)).train;
  EXPECT_TRUE(std::equal(small.begin(), small.end(), large.begin()));
}

TEST(PromptSamples, FollowTheSeed) {
  const auto samples = table(500, 50, 50);
  auto options = counts(10, 10, 10);
  const auto first = prompt_samples(samples, options);
  EXPECT_EQ(first.train, prompt_samples(samples, options).train);
  options.seed = 43;
  EXPECT_NE(first.train, prompt_samples(samples, options).train);
}

TEST(PromptSamples, RefusesNegativeCounts) {
  EXPECT_THROW(prompt_samples(table(5, 5, 5), counts(-1, 1, 1)), Error);
}

}  // namespace
}  // namespace rallrec::pipeline
