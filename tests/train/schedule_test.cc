#include "train/schedule.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"

namespace rallrec::train {
namespace {

config::TuneOptions options_with(std::int64_t batch_size, std::int64_t epochs) {
  config::TuneOptions options;
  options.batch_size = batch_size;
  options.epochs = epochs;
  return options;
}

TEST(Schedule, AnEpochVisitsEveryPromptOnce) {
  for (const std::int64_t prompts : {1, 7, 8, 9, 20, 64}) {
    const Schedule schedule(options_with(8, 2), prompts);
    for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
      std::set<std::int64_t> seen;
      for (std::int64_t s = 0; s < schedule.steps_per_epoch(); ++s) {
        const auto step = schedule.prompts_of(epoch * schedule.steps_per_epoch() + s);
        EXPECT_LE(step.size(), 8U);
        EXPECT_GE(step.size(), static_cast<std::size_t>(prompts / schedule.steps_per_epoch()));
        seen.insert(step.begin(), step.end());
      }
      EXPECT_EQ(seen.size(), static_cast<std::size_t>(prompts));
      EXPECT_EQ(*seen.rbegin(), prompts - 1);
    }
  }
}

TEST(Schedule, ThePapersRunHas160Steps) {
  const Schedule schedule(config::TuneOptions{}, 2048);
  EXPECT_EQ(schedule.steps_per_epoch(), 8);
  EXPECT_EQ(schedule.total_steps(), 160);
  EXPECT_TRUE(schedule.ends_epoch(7));
  EXPECT_FALSE(schedule.ends_epoch(8));
  EXPECT_EQ(schedule.epoch_of(8), 1);
}

TEST(Schedule, EpochsDifferInOrder) {
  const Schedule schedule(options_with(64, 2), 64);
  EXPECT_NE(schedule.prompts_of(0), schedule.prompts_of(1));
}

TEST(Schedule, MaxStepsWinsOverEpochs) {
  auto options = options_with(8, 2);
  options.max_steps = 5;
  EXPECT_EQ(Schedule(options, 800).total_steps(), 5);
}

// What transformers' get_linear_schedule_with_warmup gives for the same numbers.
TEST(Schedule, RateRisesThenFallsLinearlyToZero) {
  auto options = options_with(1, 1);
  options.learning_rate = 0.5;
  options.warmup_steps = 2;
  const Schedule schedule(options, 6);
  const double expected[] = {0.0, 0.25, 0.5, 0.375, 0.25, 0.125, 0.0};
  for (std::int64_t step = 0; step <= 6; ++step) {
    EXPECT_DOUBLE_EQ(schedule.learning_rate(step), expected[step]) << step;
  }
}

TEST(Schedule, NamesTheKeyOfABadValue) {
  try {
    Schedule(options_with(0, 1), 4);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kUsage);
    EXPECT_NE(std::string(error.what()).find("tune.batch_size"), std::string::npos);
  }
}

}  // namespace
}  // namespace rallrec::train
