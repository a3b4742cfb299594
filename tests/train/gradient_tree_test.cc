#include "train/gradient_tree.h"

#include <vector>

#include "distributed/thread_communicator.h"
#include "distributed/tree_reduction.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::train {
namespace {

using rallrec::testing::random_floats;

constexpr std::size_t kCount = 37;

// By the reduction of host memory, on one rank.
std::vector<float> tree_sum(const std::vector<float>& leaves, std::size_t count) {
  std::vector<float> sum(kCount);
  distributed::run_thread_ranks(1, [&](distributed::Communicator& alone) {
    distributed::TreeReduction tree(count, {0, count}, kCount);
    for (std::size_t leaf = 0; leaf < count; ++leaf) {
      tree.add(leaves.data() + leaf * kCount);
    }
    tree.finish(alone, sum.data());
  });
  return sum;
}

std::vector<distributed::Range> even_parts(std::size_t leaves, int ranks) {
  std::vector<distributed::Range> parts;
  for (int rank = 0; rank < ranks; ++rank) {
    parts.push_back(distributed::split_evenly(leaves, ranks, rank));
  }
  return parts;
}

class GradientTrees : public rallrec::testing::DeviceTest<int> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && !on_cpu() && rallrec::testing::gpu_count() < shape()) {
      GTEST_SKIP() << "there are fewer GPUs than ranks";
    }
  }
  bool on_cpu() const { return std::get<0>(GetParam()) == "cpu"; }

  void expect_tree(std::size_t count, const std::vector<distributed::Range>& parts) {
    const auto leaves = random_floats(static_cast<std::int64_t>(count * kCount), 3);
    const auto want = tree_sum(leaves, count);
    distributed::run_thread_ranks(shape(), [&](distributed::Communicator& host) {
      const auto owner = distributed::make_place({on_cpu() ? "cpu" : "cuda"}, host);
      const distributed::Place place = owner->place();
      GradientTree tree(count, parts, kCount, place);
      const distributed::Range mine = parts[static_cast<std::size_t>(host.rank())];
      for (int repeat = 0; repeat < 2; ++repeat) {
        for (std::size_t i = 0; i < mine.size(); ++i) {
          copy_to_device(place.queue, tree.leaf(i), leaves.data() + (mine.begin + i) * kCount,
                         kCount * sizeof(float));
        }
        std::vector<float> got(kCount);
        copy_to_host(place.queue, got.data(), tree.sum(), kCount * sizeof(float));
        EXPECT_EQ(got, want) << count << " leaves, rank " << host.rank();
      }
    });
  }
};

TEST_P(GradientTrees, HaveTheBitsOfTheTreeOnAnyNumberOfRanks) {
  for (const std::size_t leaves : {1, 2, 5, 16, 23}) {
    expect_tree(leaves, even_parts(leaves, shape()));
  }
}

// A rank with several nodes, and one without leaves.
TEST_P(GradientTrees, AnyCutWillDo) {
  if (shape() == 3) {
    expect_tree(13, {{0, 7}, {7, 7}, {7, 13}});
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, GradientTrees, rallrec::testing::on_every_device(1, 2, 3, 4),
                         rallrec::testing::device_and_number<GradientTrees::ParamType>);

}  // namespace
}  // namespace rallrec::train
