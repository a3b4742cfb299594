// The training of the id-feature models on GPUs against the one on the CPU: in the host SIMT build
// ranks are threads with a simulated GPU each, and NCCL is its stand-in.
#include <gtest/gtest.h>

#include <numeric>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/support/device/test_device.h"
#include "tests/train/ctr_fixture.h"
#include "train/ctr_epoch.h"
#include "train/ctr_step.h"

namespace rallrec::train {
namespace {

struct Case {
  std::string model;
  int ranks;
};

data::CtrSamples first_of(const data::CtrSamples& samples, std::ptrdiff_t count) {
  data::CtrSamples some;
  some.source = samples.source;
  some.user.assign(samples.user.begin(), samples.user.begin() + count);
  some.item.assign(samples.item.begin(), samples.item.begin() + count);
  some.label.assign(samples.label.begin(), samples.label.begin() + count);
  return some;
}

struct SmallData {
  SmallData() {
    data::CtrData all = rallrec::testing::made_up_ctr_data();
    features = data::encode_features(all, {});
    train = first_of(all.train, 90);
    test = first_of(all.test, 41);
  }

  data::CtrFeatures features;
  data::CtrSamples train, test;
};

const SmallData& small_data() {
  static const SmallData data;
  return data;
}

// Adam hides the size of a gradient; beside that of the L2 term it shows. Batches of 60 and 30.
config::BaselineOptions small_options() {
  config::BaselineOptions options = rallrec::testing::small_baseline();
  options.batch_size = 60;
  options.block_size = 16;
  options.dropout = 0.2;
  options.l2 = 1e-2;
  return options;
}

struct Outcome {
  std::vector<double> losses;
  std::vector<float> dense;
  std::vector<double> scores;
};

// After one step, from all blocks of its batch.
Outcome one_step(const std::string& model, const distributed::Place& place) {
  const auto options = small_options();
  CtrStep step(model, small_data().features, options, place);
  std::vector<std::int64_t> samples(60);
  std::iota(samples.begin(), samples.end(), std::int64_t{5});
  step.begin(step.blocks_of(60) + 1);
  step.train(small_data().train, samples.data(), 60, 1, 1);
  Outcome outcome{step.losses(), step.dense().host(), step.score(small_data().test)};
  place.host.all_reduce(outcome.losses.data(), outcome.losses.size(), distributed::DType::kFloat64);
  return outcome;
}

// After an epoch that is kept and another one that is taken back.
Outcome kept_epoch(const std::string& model, const distributed::Place& place) {
  const auto options = small_options();
  CtrStep step(model, small_data().features, options, place);
  Outcome outcome;
  for (std::int64_t epoch = 1; epoch <= 2; ++epoch) {
    outcome.losses.push_back(train_ctr_epoch(step, small_data().train, options, epoch, place.host));
    if (epoch == 1) {
      step.keep();
    }
  }
  step.restore();
  outcome.dense = step.dense().host();
  outcome.scores = step.score(small_data().test);
  return outcome;
}

void expect_close(const Outcome& got, const Outcome& want) {
  ASSERT_EQ(got.losses.size(), want.losses.size());
  for (std::size_t i = 0; i < want.losses.size(); ++i) {
    EXPECT_NEAR(got.losses[i], want.losses[i], 1e-6 * want.losses[i]) << i;
  }
  ASSERT_EQ(got.dense.size(), want.dense.size());
  for (std::size_t i = 0; i < want.dense.size(); ++i) {
    ASSERT_NEAR(got.dense[i], want.dense[i], 1e-5) << i;
  }
  ASSERT_EQ(got.scores.size(), want.scores.size());
  for (std::size_t i = 0; i < want.scores.size(); ++i) {
    ASSERT_NEAR(got.scores[i], want.scores[i], 1e-5) << i;
  }
}

class CtrOnGpus : public rallrec::testing::DeviceTest<Case> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && rallrec::testing::gpu_count() < shape().ranks) {
      GTEST_SKIP() << "there are fewer GPUs than ranks";
    }
  }
  template <typename Train>
  void expect_as_on_the_cpu(const Train& train) {
    distributed::LocalCommunicator alone;
    const Outcome want = train(shape().model, distributed::cpu_place(alone));
    distributed::run_thread_ranks(shape().ranks, [&](distributed::Communicator& host) {
      const auto owner = distributed::make_place({"cuda"}, host);
      expect_close(train(shape().model, owner->place()), want);
    });
  }
};

TEST_P(CtrOnGpus, AStepIsTheCpus) { expect_as_on_the_cpu(one_step); }

TEST_P(CtrOnGpus, EpochsAreTheCpus) { expect_as_on_the_cpu(kept_epoch); }

// Four blocks a batch, two in the last: one of three ranks has none there.
INSTANTIATE_TEST_SUITE_P(
    Models, CtrOnGpus,
    ::testing::Combine(::testing::Values(rallrec::testing::gpu_column_name()),
                       ::testing::Values(Case{"deep_fm", 1}, Case{"x_deep_fm", 1}, Case{"dcn", 1},
                                         Case{"auto_int", 1}, Case{"deep_fm", 2},
                                         Case{"auto_int", 3})),
    rallrec::testing::device_and_number<CtrOnGpus::ParamType>);

// What the tests above compare with does learn.
TEST(CtrOnTheCpu, LearnsFromTheSmallData) {
  distributed::LocalCommunicator alone;
  const Outcome outcome = kept_epoch("deep_fm", distributed::cpu_place(alone));
  EXPECT_LT(outcome.losses.back(), outcome.losses.front());
}

}  // namespace
}  // namespace rallrec::train
