#include "logging/progress.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "logging/log.h"

namespace rallrec::logging {
namespace {

TEST(ProgressText, ShowsRateAndTimeLeft) {
  EXPECT_EQ(progress_text("tune", "steps", 120, 300, 120, 60.0, "loss 0.43"),
            "tune 120/300 steps, 2/s, 1 min 30 s left, loss 0.43");
  EXPECT_EQ(progress_text("embed", "items", 10, 7210, 10, 10.0, ""),
            "embed 10/7210 items, 1/s, 2 h 0 min left");
}

TEST(ProgressText, ARateCountsOnlyWhatThisRunDid) {
  // 100 of the 120 steps were done before; 20 took 10 s, so the 80 that are left take 40 s.
  EXPECT_EQ(progress_text("tune", "steps", 120, 200, 20, 10.0, ""),
            "tune 120/200 steps, 2/s, 40 s left");
}

TEST(ProgressText, LeavesOutWhatIsNotKnown) {
  EXPECT_EQ(progress_text("read", "rows", 5, 0, 5, 2.5, ""), "read 5 rows, 2/s");
  EXPECT_EQ(progress_text("read", "rows", 0, 9, 0, 1.0, ""), "read 0/9 rows");
  EXPECT_EQ(progress_text("read", "rows", 9, 9, 9, 3.0, ""), "read 9/9 rows, 3/s");
}

class ProgressLines : public ::testing::Test {
 protected:
  void TearDown() override { configure_logging({}); }

  static std::string lines(int rank, double seconds, spdlog::level::level_enum console) {
    ::testing::internal::CaptureStderr();
    LogOptions options;
    options.rank = rank;
    options.progress_seconds = seconds;
    options.console = console;
    configure_logging(options);
    {
      Progress progress("embed", "items", 3);
      for (int i = 0; i < 3; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
        progress.advance(1);
      }
    }
    spdlog::default_logger()->flush();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(ProgressLines, AppearOnRankZeroAtTheInterval) {
  const std::string text = lines(0, 0.001, spdlog::level::info);
  EXPECT_NE(text.find("embed 1/3 items"), std::string::npos) << text;
  const std::size_t last = text.find("embed 3/3 items");
  ASSERT_NE(last, std::string::npos) << text;
  EXPECT_EQ(text.find("embed 3/3 items", last + 1), std::string::npos) << text;
}

TEST_F(ProgressLines, AreSilentElsewhereWhenQuietAndInShortLoops) {
  EXPECT_EQ(lines(1, 0.001, spdlog::level::info), "");
  EXPECT_EQ(lines(0, 0.001, spdlog::level::warn), "");
  EXPECT_EQ(lines(0, 3600.0, spdlog::level::info), "");
}

}  // namespace
}  // namespace rallrec::logging
