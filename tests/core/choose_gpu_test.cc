// Which GPU a rank gets, where there are GPUs; without any see tests/commands/cuda_program_test.cc.
#include "core/choose_gpu.h"

#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/device/test_device.h"
#include "tests/support/expect_error.h"

namespace rallrec {
namespace {

class ChooseGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (cudaGetDeviceCount(&gpus_) == cudaSuccess && gpus_ > 0) {
      return;
    }
    if (testing::gpu_is_required()) {
      FAIL() << "there is no GPU";
    }
    GTEST_SKIP() << "there is no GPU";
  }

  int gpus_ = 0;
};

TEST_F(ChooseGpu, EachRankOfAHostGetsItsOwn) {
  for (int rank = gpus_ - 1; rank >= 0; --rank) {
    choose_gpu(rank, gpus_);
    int chosen = -1;
    ASSERT_EQ(cudaGetDevice(&chosen), cudaSuccess);
    EXPECT_EQ(chosen, rank);
  }
}

TEST_F(ChooseGpu, RanksBeyondTheGpusAreRefusedOnEveryRank) {
  const std::string ranks = std::to_string(gpus_ + 1);
  unsetenv("CUDA_VISIBLE_DEVICES");
  for (int rank = 0; rank <= gpus_; ++rank) {
    testing::expect_error(ExitCode::kUsage,
                          ranks + " ranks on this host and " + std::to_string(gpus_) +
                              " visible GPUs; start at most one rank per GPU",
                          [&] { choose_gpu(rank, gpus_ + 1); });
  }
}

}  // namespace
}  // namespace rallrec
