#include "train/ctr_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <numeric>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/support/thread_count_guard.h"
#include "tests/train/ctr_fixture.h"
#include "train/ctr_epoch.h"

namespace rallrec::train {
namespace {

using distributed::Communicator;
using rallrec::testing::made_up_ctr_data;
using rallrec::testing::small_baseline;
using rallrec::testing::ThreadCountGuard;

const data::CtrData& made_up() {
  static const data::CtrData data = made_up_ctr_data();
  return data;
}

double mean_loss(CtrStep& step, const data::CtrSamples& samples) {
  const std::vector<double> scores = step.score(samples);
  double sum = 0.0;
  for (std::size_t s = 0; s < scores.size(); ++s) {
    sum -= std::log(samples.label[s] != 0 ? scores[s] : 1.0 - scores[s]);
  }
  return sum / static_cast<double>(scores.size());
}

class CtrSteps : public ::testing::TestWithParam<std::string> {};

// Adam's first step is the learning rate times the sign of the gradient, so the loss falls by the
// learning rate times the sum of the gradient's magnitudes, to first order.
TEST_P(CtrSteps, OneStepLowersTheLossOfItsBatch) {
  config::BaselineOptions options = small_baseline();
  options.dropout = 0.0;
  options.l2 = 0.0;
  options.learning_rate = 1e-4;
  const auto features = data::encode_features(made_up(), {});
  distributed::LocalCommunicator communicator;
  CtrStep step(GetParam(), features, options, distributed::cpu_place(communicator));
  const data::CtrSamples& train = made_up().train;
  std::vector<std::int64_t> all(static_cast<std::size_t>(train.size()));
  std::iota(all.begin(), all.end(), std::int64_t{0});
  const double before = mean_loss(step, train);
  step.begin(step.blocks_of(train.size()));
  step.train(train, all.data(), train.size(), 1, 0);
  const std::vector<double> losses = step.losses();
  EXPECT_NEAR(
      std::accumulate(losses.begin(), losses.end(), 0.0) / static_cast<double>(train.size()),
      before, 1e-6);
  EXPECT_LT(mean_loss(step, train), before - 1e-5);
}

struct Outcome {
  double loss = 0.0;
  std::vector<float> dense;
  std::vector<double> scores;
};

Outcome two_epochs(const std::string& model, Communicator& communicator) {
  const config::BaselineOptions options = small_baseline();
  const auto features = data::encode_features(made_up(), {});
  CtrStep step(model, features, options, distributed::cpu_place(communicator));
  Outcome outcome;
  for (std::int64_t epoch = 1; epoch <= 2; ++epoch) {
    outcome.loss = train_ctr_epoch(step, made_up().train, options, epoch, communicator);
  }
  outcome.dense = step.dense().host();
  outcome.scores = step.score(made_up().test);
  return outcome;
}

void expect_same(const Outcome& got, const Outcome& want, const std::string& what) {
  EXPECT_EQ(got.loss, want.loss) << what;
  EXPECT_EQ(got.dense, want.dense) << what;
  EXPECT_EQ(got.scores, want.scores) << what;
}

TEST_P(CtrSteps, BitsDependNeitherOnRanksNorOnThreads) {
  distributed::LocalCommunicator alone;
  const Outcome want = two_epochs(GetParam(), alone);
  EXPECT_LT(want.loss, std::log(2.0));
  {
    const ThreadCountGuard threads(3);
    distributed::LocalCommunicator again;
    expect_same(two_epochs(GetParam(), again), want, "threads");
  }
  // 200 samples in blocks of 32 are 7 blocks: not the same number on every rank, and none on the
  // last ones where there are more ranks than blocks.
  for (const int ranks : {2, 4, 9}) {
    std::mutex mutex;
    distributed::run_thread_ranks(ranks, [&](Communicator& communicator) {
      const Outcome got = two_epochs(GetParam(), communicator);
      const std::lock_guard<std::mutex> lock(mutex);
      expect_same(got, want, std::to_string(ranks) + " ranks");
    });
  }
}

TEST_P(CtrSteps, KeepAndRestoreBringBackTheScores) {
  const config::BaselineOptions options = small_baseline();
  const auto features = data::encode_features(made_up(), {});
  distributed::LocalCommunicator communicator;
  CtrStep step(GetParam(), features, options, distributed::cpu_place(communicator));
  train_ctr_epoch(step, made_up().train, options, 1, communicator);
  const std::vector<double> kept = step.score(made_up().test);
  step.keep();
  train_ctr_epoch(step, made_up().train, options, 2, communicator);
  EXPECT_NE(step.score(made_up().test), kept);
  step.restore();
  EXPECT_EQ(step.score(made_up().test), kept);
}

INSTANTIATE_TEST_SUITE_P(Models, CtrSteps, ::testing::ValuesIn(models::ctr::ctr_model_names()),
                         [](const auto& info) { return info.param; });

TEST(CtrStepMemory, ARankKeepsItsShareOfTheTable) {
  const config::BaselineOptions options = small_baseline();
  const auto features = data::encode_features(made_up(), {});
  std::mutex mutex;
  std::size_t all = 0;
  distributed::run_thread_ranks(3, [&](Communicator& communicator) {
    const CtrStep step("deep_fm", features, options, distributed::cpu_place(communicator));
    const std::size_t floats = step.table().values().size();
    EXPECT_LE(floats, static_cast<std::size_t>(features.rows / 3 + 1) * 6);
    const std::lock_guard<std::mutex> lock(mutex);
    all += floats;
  });
  EXPECT_EQ(all, static_cast<std::size_t>(features.rows) * 6);
}

// An unseen value starts at zero and stays there, so unseen users differ by their other features
// alone.
TEST(CtrStepScores, UnseenUsersOfEqualColumnsScoreAlike) {
  data::CtrData data = made_up_ctr_data();
  data.user_fields.fields.pop_back();  // age, which tells users apart
  config::BaselineOptions options = small_baseline();
  const auto features = data::encode_features(data, {});
  distributed::LocalCommunicator communicator;
  CtrStep step("deep_fm", features, options, distributed::cpu_place(communicator));
  train_ctr_epoch(step, data.train, options, 1, communicator);
  data::CtrSamples pair;
  pair.user = {27, 30, 28, 3};  // c0, c0, c1; the last one is known
  pair.item = {1, 1, 1, 1};
  pair.label = {0, 1, 1, 1};
  const std::vector<double> scores = step.score(pair);
  EXPECT_EQ(scores[0], scores[1]);
  EXPECT_NE(scores[0], scores[2]);
  EXPECT_NE(scores[0], scores[3]);
}

}  // namespace
}  // namespace rallrec::train
