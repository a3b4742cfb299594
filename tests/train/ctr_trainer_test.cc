#include "train/ctr_trainer.h"

#include <gtest/gtest.h>

#include "distributed/local_communicator.h"
#include "metrics/auc.h"
#include "models/ctr/ctr_model.h"
#include "tests/support/expect_error.h"
#include "tests/train/ctr_fixture.h"

namespace rallrec::train {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::made_up_ctr_data;
using rallrec::testing::small_baseline;

CtrTraining train(const std::string& model, const data::CtrData& data,
                  const config::BaselineOptions& options) {
  distributed::LocalCommunicator communicator;
  const auto features = data::encode_features(data, {options.leave_out});
  return train_ctr(model, data, features, options, distributed::cpu_place(communicator), nullptr);
}

double auc_of(const CtrTraining& training, const data::CtrSamples& samples) {
  return metrics::AucRanking(training.test_scores, samples.label).auc().value();
}

class CtrTrainer : public ::testing::TestWithParam<std::string> {};

// The label follows from a pair of words, so a model must learn what fields say together. The best
// possible AUC here is about .85.
TEST_P(CtrTrainer, LearnsAPairOfFieldsAlsoForUnseenUsers) {
  const data::CtrData data = made_up_ctr_data();
  config::BaselineOptions options = small_baseline();
  options.epochs = 25;
  const CtrTraining training = train(GetParam(), data, options);
  EXPECT_GT(auc_of(training, data.test), 0.8);
  EXPECT_LT(training.epochs.back().loss, training.epochs.front().loss);
}

INSTANTIATE_TEST_SUITE_P(Models, CtrTrainer, ::testing::ValuesIn(models::ctr::ctr_model_names()),
                         [](const auto& info) { return info.param; });

TEST(CtrTraining, EndsAfterPatienceAndScoresWithTheBestEpoch) {
  const data::CtrData data = made_up_ctr_data();
  config::BaselineOptions options = small_baseline();
  options.epochs = 200;
  options.patience = 3;
  options.learning_rate = 0.05;
  const CtrTraining training = train("deep_fm", data, options);
  ASSERT_LT(training.epochs.size(), 200U);
  EXPECT_EQ(static_cast<std::int64_t>(training.epochs.size()), training.best_epoch + 3);
  for (const CtrEpoch& epoch : training.epochs) {
    EXPECT_LE(epoch.valid_auc,
              training.epochs[static_cast<std::size_t>(training.best_epoch) - 1].valid_auc);
  }
  // The same up to there, and no further.
  options.epochs = training.best_epoch;
  EXPECT_EQ(train("deep_fm", data, options).test_scores, training.test_scores);
}

TEST(CtrTraining, ABatchOfOneLabelIsFineAndASplitOfOneIsNot) {
  data::CtrData data = made_up_ctr_data();
  config::BaselineOptions options = small_baseline();
  options.epochs = 1;
  options.batch_size = 1;
  EXPECT_NO_THROW(train("dcn", data, options));
  data.valid.label.assign(data.valid.label.size(), 1);
  expect_error(ExitCode::kBadData, "valid.inter: all 300 labels of valid are 1",
               [&] { train("dcn", data, options); });
}

TEST(CtrTraining, AFieldWithOneValueIsFine) {
  data::CtrData data = made_up_ctr_data();
  data::FieldBuilder same("same", data::FieldKind::kToken);
  for (std::int32_t user = 0; user < data.users.size(); ++user) {
    same.add("only");
    same.end_row();
  }
  data.user_fields.fields.push_back(same.take());
  config::BaselineOptions options = small_baseline();
  options.epochs = 10;
  EXPECT_GT(auc_of(train("deep_fm", data, options), data.test), 0.7);
}

TEST(CtrTraining, ABatchLargerThanTheDataIsAllOfIt) {
  const data::CtrData data = made_up_ctr_data();
  config::BaselineOptions options = small_baseline();
  options.epochs = 1;
  options.batch_size = 1 << 20;
  const CtrTraining whole = train("deep_fm", data, options);
  options.batch_size = data.train.size();
  EXPECT_EQ(train("deep_fm", data, options).test_scores, whole.test_scores);
}

TEST(CtrTraining, ALossThatIsNotFiniteEndsIt) {
  config::BaselineOptions options = small_baseline();
  options.learning_rate = 1e30;
  expect_error(ExitCode::kNonFinite, "the loss of epoch 1, batch 2 is not finite",
               [&] { train("dcn", made_up_ctr_data(), options); });
}

}  // namespace
}  // namespace rallrec::train
