#include "distributed/place.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/device_array.h"
#include "distributed/gpu_place.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/support/device/test_device.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::distributed {
namespace {

using rallrec::testing::expect_error;

TEST(GpuOfRank, RanksOfAHostTakeItsGpusInOrder) {
  const std::string a = "a\nGPU-1\nGPU-2\n", b = "b\nGPU-3\nGPU-4\n";
  const std::vector<std::string> seen = {a, b, a, b};
  EXPECT_EQ(gpu_of_rank(seen, 0), 0);
  EXPECT_EQ(gpu_of_rank(seen, 1), 0);
  EXPECT_EQ(gpu_of_rank(seen, 2), 1);
  EXPECT_EQ(gpu_of_rank(seen, 3), 1);
}

TEST(GpuOfRank, ARankThatSeesItsOwnGpuTakesThat) {
  const std::vector<std::string> seen = {"a\nGPU-1\n", "a\nGPU-2\n"};
  EXPECT_EQ(gpu_of_rank(seen, 0), 0);
  EXPECT_EQ(gpu_of_rank(seen, 1), 0);
}

TEST(GpuOfRank, MoreRanksThanGpusIsAnErrorOnEveryRank) {
  const std::vector<std::string> seen = {"a\nGPU-1\n", "b\nGPU-2\nGPU-3\n", "a\nGPU-1\n"};
  for (const int rank : {0, 1, 2}) {
    expect_error(ExitCode::kUsage, "host a has 1 GPU for 2 ranks",
                 [&] { gpu_of_rank(seen, rank); });
  }
}

TEST(MakePlace, OnTheCpuIsTheHostsCommunicator) {
  LocalCommunicator host;
  const auto owner = make_place({"cpu"}, host);
  EXPECT_EQ(owner->place().queue.device, Device::kCpu);
  EXPECT_EQ(&owner->place().host, &host);
  EXPECT_EQ(&owner->place().device, &host);
  expect_error(ExitCode::kUsage, "cluster.device = \"tpu\"", [&] { make_place({"tpu"}, host); });
}

class MakeGpuPlace : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string why;
    if (rallrec::testing::open_gpu_column(why) == nullptr) {
      GTEST_SKIP() << why;
    }
  }
};

// Ranks exchange device memory, and no two have the same GPU.
void meet(int ranks, const std::string& nccl_init) {
  run_thread_ranks(ranks, [&](Communicator& host) {
    const auto owner = make_place({"cuda", nccl_init}, host);
    const Place place = owner->place();
    DeviceArray<std::int32_t> mine(place.queue, "", {host.rank() + 10});
    DeviceArray<std::int32_t> all(place.queue, "");
    all.resize(static_cast<std::size_t>(ranks));
    if (ranks > 1) {
      place.device.all_gather_async(mine.data(), all.data(), 1, DType::kInt32).hold(place.queue);
      std::vector<std::int32_t> expected;
      for (int rank = 0; rank < ranks; ++rank) {
        expected.push_back(rank + 10);
      }
      EXPECT_EQ(all.host(), expected);
    }
    EXPECT_EQ(mine.host(), std::vector<std::int32_t>{host.rank() + 10});
  });
}

TEST_F(MakeGpuPlace, GivesEachRankAGpu) {
  for (const int ranks : {1, 2, rallrec::testing::gpu_count()}) {
    if (ranks <= rallrec::testing::gpu_count()) {
      meet(ranks, "mpi");
    }
  }
}

TEST_F(MakeGpuPlace, MeetsWhereTheSettingSays) {
  if (rallrec::testing::gpu_count() < 2) {
    GTEST_SKIP() << "there are fewer than two GPUs";
  }
  const rallrec::testing::TemporaryFolder folder;
  unsetenv("RALLREC_NCCL_TOKEN");
  expect_error(ExitCode::kUsage, "RALLREC_NCCL_TOKEN",
               [&] { meet(2, "file:" + folder.file("meeting")); });
  expect_error(ExitCode::kUsage, "expected \"mpi\"", [&] { meet(2, "nowhere"); });
  setenv("RALLREC_NCCL_TOKEN", "0123456789abcdef", 1);
  meet(2, "file:" + folder.file("meeting"));
  unsetenv("RALLREC_NCCL_TOKEN");
}

TEST_F(MakeGpuPlace, MoreRanksThanGpusAreNamedWithTheCure) {
  const int gpus = rallrec::testing::gpu_count();
  expect_error(ExitCode::kUsage,
               "for " + std::to_string(gpus + 1) + " ranks; start at most one rank per GPU",
               [&] { meet(gpus + 1, "mpi"); });
}

TEST(MakePlaceWithoutCuda, SaysHowToBuildWithIt) {
  std::string why;
  if (rallrec::testing::open_gpu_column(why) != nullptr || why != "this build has no CUDA") {
    GTEST_SKIP() << "this build has CUDA";
  }
  LocalCommunicator host;
  expect_error(ExitCode::kUsage, "this build has no CUDA", [&] { make_place({"cuda"}, host); });
}

}  // namespace
}  // namespace rallrec::distributed
