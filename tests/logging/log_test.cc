#include "logging/log.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/support/temporary_folder.h"

namespace rallrec::logging {
namespace {

using rallrec::testing::TemporaryFolder;

class Log : public ::testing::Test {
 protected:
  void TearDown() override { configure_logging({}); }

  // What a process of this rank and level writes to stderr for one line of each level.
  static std::string stderr_of(int rank, spdlog::level::level_enum console) {
    ::testing::internal::CaptureStderr();
    LogOptions options;
    options.rank = rank;
    options.size = 3;
    options.console = console;
    configure_logging(options);
    spdlog::debug("fine");
    spdlog::info("usual");
    spdlog::warn("odd");
    spdlog::default_logger()->flush();
    return ::testing::internal::GetCapturedStderr();
  }
};

TEST_F(Log, LinesCarryTheRankAndGoToStderrOnly) {
  ::testing::internal::CaptureStdout();
  const std::string text = stderr_of(0, spdlog::level::info);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
  EXPECT_NE(text.find("[rank 0/3]"), std::string::npos);
  EXPECT_NE(text.find("usual"), std::string::npos);
  EXPECT_EQ(text.find("fine"), std::string::npos);
}

TEST_F(Log, OtherRanksWriteWarningsOnly) {
  const std::string text = stderr_of(2, spdlog::level::debug);
  EXPECT_NE(text.find("[rank 2/3]"), std::string::npos);
  EXPECT_NE(text.find("odd"), std::string::npos);
  EXPECT_EQ(text.find("usual"), std::string::npos);
}

TEST_F(Log, AFolderReceivesEverything) {
  const TemporaryFolder folder;
  stderr_of(1, spdlog::level::warn);
  log_to_folder(folder.path());
  ::testing::internal::CaptureStderr();
  spdlog::debug("for the file");
  spdlog::default_logger()->flush();
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_NE(folder.get("rank1.log").find("for the file"), std::string::npos);
  EXPECT_EQ(log_options().rank, 1);
}

}  // namespace
}  // namespace rallrec::logging
