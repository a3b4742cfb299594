#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

namespace {

using ::testing::HasSubstr;

struct Result {
  int code = -1;
  std::string output;
  double seconds = 0.0;
};

Result run(const std::string& how, int ranks) {
  const auto start = std::chrono::steady_clock::now();
  const std::string command = std::string("timeout 60 ") + RALLREC_MPIEXEC + " -n " +
                              std::to_string(ranks) + " --oversubscribe " + RALLREC_FAILING_RANK +
                              " " + how + " 2>&1";
  Result result;
  FILE* pipe = popen(command.c_str(), "r");
  std::array<char, 4096> buffer;
  while (const std::size_t got = fread(buffer.data(), 1, buffer.size(), pipe)) {
    result.output.append(buffer.data(), got);
  }
  const int status = pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

TEST(RankFailure, NoneIsSuccess) {
  const Result result = run("none", 2);
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("local rank 0 of 2"));
  EXPECT_THAT(result.output, HasSubstr("local rank 1 of 2"));
  EXPECT_THAT(result.output, HasSubstr("finished"));
}

TEST(RankFailure, ARankThatThrowsEndsTheJobWithItsCode) {
  for (const int ranks : {2, 3}) {
    const Result result = run("throw", ranks);
    EXPECT_EQ(result.code, 65) << result.output;
    EXPECT_THAT(result.output, HasSubstr("scores.jsonl:7: made up"));
    EXPECT_LT(result.seconds, 10.0);
  }
}

TEST(RankFailure, AlsoWithACollectiveUnderWay) {
  const Result result = run("throw_with_work_under_way", 2);
  EXPECT_EQ(result.code, 65) << result.output;
  EXPECT_LT(result.seconds, 10.0);
}

TEST(RankFailure, AKilledRankEndsTheJob) {
  const Result result = run("sigkill", 2);
  EXPECT_EQ(result.code, 137) << result.output;
  EXPECT_LT(result.seconds, 10.0);
}

TEST(RankFailure, MismatchedCollectivesAreReportedWithBothSides) {
  for (const int ranks : {2, 3}) {
    const Result result = run("mismatch", ranks);
    EXPECT_EQ(result.code, 70) << result.output;
    EXPECT_THAT(result.output, HasSubstr("all_reduce(sum, 1048576 x float32)"));
    EXPECT_THAT(result.output, HasSubstr("all_gather(1 x float64)"));
    EXPECT_LT(result.seconds, 10.0);
  }
}

}  // namespace
