#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "tests/distributed/timed_command.h"

namespace {

using ::testing::HasSubstr;

using rallrec::testing::TimedOutcome;

TimedOutcome run(const std::string& how, int ranks) {
  return rallrec::testing::run_timed(std::string("timeout 60 ") + RALLREC_MPIEXEC + " -n " +
                                     std::to_string(ranks) + " --oversubscribe " +
                                     RALLREC_FAILING_RANK + " " + how + " 2>&1");
}

TEST(RankFailure, NoneIsSuccess) {
  const TimedOutcome result = run("none", 2);
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("local rank 0 of 2"));
  EXPECT_THAT(result.output, HasSubstr("local rank 1 of 2"));
  EXPECT_THAT(result.output, HasSubstr("finished"));
}

// Threads are shared out by it: a rank that the launcher has bound has no other rank's cores.
TEST(RankFailure, RanksKnowWhoSharesTheirCores) {
  if (std::thread::hardware_concurrency() < 2) {
    GTEST_SKIP() << "one core alone";
  }
  for (const auto& [binding, sharing] : {std::pair("core", "1"), std::pair("none", "2")}) {
    const TimedOutcome result = rallrec::testing::run_timed(
        std::string("timeout 60 ") + RALLREC_MPIEXEC + " -n 2 --bind-to " + binding + " " +
        RALLREC_FAILING_RANK + " none 2>&1");
    EXPECT_EQ(result.code, 0) << result.output;
    for (const char* rank : {"0", "1"}) {
      EXPECT_THAT(result.output, HasSubstr(std::string("local rank ") + rank + " of 2, " + sharing +
                                           " on its cores"));
    }
  }
}

TEST(RankFailure, ARankThatThrowsEndsTheJobWithItsCode) {
  for (const int ranks : {2, 3}) {
    const TimedOutcome result = run("throw", ranks);
    EXPECT_EQ(result.code, 65) << result.output;
    EXPECT_THAT(result.output, HasSubstr("scores.jsonl:7: made up"));
    EXPECT_LT(result.seconds, 10.0);
  }
}

TEST(RankFailure, AlsoWithACollectiveUnderWay) {
  const TimedOutcome result = run("throw_with_work_under_way", 2);
  EXPECT_EQ(result.code, 65) << result.output;
  EXPECT_LT(result.seconds, 10.0);
}

TEST(RankFailure, AKilledRankEndsTheJob) {
  const TimedOutcome result = run("sigkill", 2);
  EXPECT_EQ(result.code, 137) << result.output;
  EXPECT_LT(result.seconds, 10.0);
}

TEST(RankFailure, MismatchedCollectivesAreReportedWithBothSides) {
  for (const int ranks : {2, 3}) {
    const TimedOutcome result = run("mismatch", ranks);
    EXPECT_EQ(result.code, 70) << result.output;
    EXPECT_THAT(result.output, HasSubstr("all_reduce(sum, 1048576 x float32) at failing_rank.cc:"));
    EXPECT_THAT(result.output, HasSubstr("all_gather(1 x float64) at failing_rank.cc:"));
    EXPECT_LT(result.seconds, 10.0);
  }
}

}  // namespace
