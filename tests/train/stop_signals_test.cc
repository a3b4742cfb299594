#include "train/stop_signals.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/temporary_folder.h"

namespace rallrec::train {
namespace {

volatile std::sig_atomic_t passed_on = 0;

class StopSignalsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    passed_on = 0;
    std::signal(SIGUSR1, [](int) { passed_on = passed_on + 1; });
  }
  void TearDown() override { std::signal(SIGUSR1, SIG_DFL); }

  const testing::TemporaryFolder folder_;
};

TEST_F(StopSignalsTest, ARequestThatWasObeyedEndsHere) {
  {
    StopSignals signals(folder_.path());
    EXPECT_FALSE(signals.stop_requested());
    std::raise(SIGUSR1);
    EXPECT_TRUE(signals.stop_requested());
    signals.obeyed();
  }
  EXPECT_EQ(passed_on, 0);
}

TEST_F(StopSignalsTest, OneThatCameTooLateIsPassedOn) {
  {
    StopSignals signals(folder_.path());
    std::raise(SIGUSR1);
  }
  EXPECT_EQ(passed_on, 1);
  { StopSignals quiet(folder_.path()); }
  EXPECT_EQ(passed_on, 1);
}

TEST_F(StopSignalsTest, ACheckpointIsAskedForOnceBySignalOrFile) {
  StopSignals signals(folder_.path());
  std::raise(SIGUSR2);
  EXPECT_TRUE(signals.take_checkpoint_request());
  EXPECT_FALSE(signals.take_checkpoint_request());
  folder_.put("checkpoint.now", "");
  EXPECT_TRUE(signals.take_checkpoint_request());
  EXPECT_EQ(folder_.entries(), 0U);
  EXPECT_FALSE(signals.stop_requested());
}

}  // namespace
}  // namespace rallrec::train
