// The training of the projector on GPUs against the one on the CPU: in the host SIMT build ranks
// are threads with a simulated GPU each, and NCCL is its stand-in.
#include <gtest/gtest.h>

#include <cmath>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/support/device/test_device.h"
#include "tests/train/alignment_data.h"
#include "train/projector_trainer.h"

namespace rallrec::train {
namespace {

using rallrec::testing::AlignmentData;

struct Trained {
  std::vector<double> losses;
  std::vector<float> rows;
};

Trained train(const AlignmentData& data, const config::AlignOptions& options,
              const distributed::Place& place) {
  models::Projector projector(rallrec::testing::projector_shape(options), 4, place.queue);
  Trained result;
  result.losses = train_projector(projector, data.text, data.graph, options, place, nullptr);
  result.rows = project_rows(projector, data.text, place);
  return result;
}

// The parameter is the number of ranks; without a GPU for each the test is skipped.
class AlignmentOnGpus : public rallrec::testing::DeviceTest<int> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && rallrec::testing::gpu_count() < shape()) {
      GTEST_SKIP() << "there are fewer GPUs than ranks";
    }
  }
};

void expect_training_as_on_the_cpu(int ranks, const AlignmentData& data,
                                   const config::AlignOptions& options) {
  distributed::LocalCommunicator communicator;
  const Trained expected = train(data, options, distributed::cpu_place(communicator));
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& host) {
    const auto owner = distributed::make_place({"cuda"}, host);
    const Trained got = train(data, options, owner->place());
    ASSERT_EQ(got.losses.size(), expected.losses.size());
    for (std::size_t step = 0; step < expected.losses.size(); ++step) {
      EXPECT_NEAR(got.losses[step], expected.losses[step], 1e-6 * expected.losses[step]) << step;
    }
    ASSERT_EQ(got.rows.size(), expected.rows.size());
    for (std::size_t i = 0; i < expected.rows.size(); ++i) {
      ASSERT_NEAR(got.rows[i], expected.rows[i], 1e-5) << i;
    }
  });
  // It learned, so that equal results are results.
  EXPECT_LT(expected.losses.back(), 0.98 * expected.losses.front());
}

// Blocks of 32 rows, the last of one. More steps than the host enqueues before it looks.
TEST_P(AlignmentOnGpus, TrainsAsTheCpuDoes) {
  auto options = rallrec::testing::align_options(18, 0.5);
  options.learning_rate = 3e-3;
  options.activation = "gelu";
  expect_training_as_on_the_cpu(shape(), rallrec::testing::related_items(97, 5), options);
}

TEST_P(AlignmentOnGpus, TrainsBatchesAsTheCpuDoes) {
  auto options = rallrec::testing::align_options(18, 0.5);
  options.learning_rate = 3e-3;
  options.batch_size = 40;
  expect_training_as_on_the_cpu(shape(), rallrec::testing::related_items(97, 5), options);
}

// A rank without rows.
TEST_P(AlignmentOnGpus, TrainsFewItems) {
  auto options = rallrec::testing::align_options(3, 0.5);
  options.activation = "tanh";
  expect_training_as_on_the_cpu(shape(), rallrec::testing::related_items(33, 5), options);
}

INSTANTIATE_TEST_SUITE_P(Ranks, AlignmentOnGpus,
                         ::testing::Combine(::testing::Values(rallrec::testing::gpu_column_name()),
                                            ::testing::Values(1, 2, 3)),
                         rallrec::testing::device_and_number<AlignmentOnGpus::ParamType>);

}  // namespace
}  // namespace rallrec::train
