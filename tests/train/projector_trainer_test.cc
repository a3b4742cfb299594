#include "train/projector_trainer.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "core/error.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/support/random_floats.h"

namespace rallrec::train {
namespace {

at::Tensor random_matrix(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  auto values = rallrec::testing::random_floats(rows * columns, seed);
  return at::from_blob(values.data(), {rows, columns}, at::kFloat).clone();
}

config::AlignOptions options_for(std::int64_t steps, double temperature) {
  config::AlignOptions options;
  options.hidden_size = 24;
  options.steps = steps;
  options.temperature = temperature;
  options.learning_rate = 0.01;
  return options;
}

models::ProjectorShape shape_for(const config::AlignOptions& options) {
  return {20, options.hidden_size, 6, options.activation};
}

TEST(AlignmentBounds, HasTheWorkedValues) {
  const AlignmentBounds bounds = alignment_bounds(3952, 1.0);
  EXPECT_NEAR(bounds.chance, 16.56, 5e-3);
  EXPECT_NEAR(bounds.lowest, 14.56, 5e-3);
  EXPECT_NEAR(alignment_bounds(2, 1.0).chance, 1.3863, 5e-5);
}

TEST(Projector, IsTheFormulaForEachActivation) {
  const auto x = random_matrix(5, 20, 1);
  for (const std::string activation : {"relu", "gelu", "tanh"}) {
    models::Projector projector({20, 7, 3, activation}, 9);
    const auto& p = projector.parameter_tensors();
    const auto hidden =
        x.to(at::kDouble).matmul(p[0].detach().to(at::kDouble).t()) + p[1].detach().to(at::kDouble);
    const auto active = activation == "relu" ? hidden.clamp_min(0)
                        : activation == "gelu"
                            ? hidden * 0.5 * (1 + (hidden / std::sqrt(2.0)).erf())
                            : (hidden.exp() - (-hidden).exp()) / (hidden.exp() + (-hidden).exp());
    const auto expected =
        active.matmul(p[2].detach().to(at::kDouble).t()) + p[3].detach().to(at::kDouble);
    const auto got = projector.forward(x).detach();
    EXPECT_LT((got.to(at::kDouble) - expected).abs().max().item<double>(), 1e-5) << activation;
  }
  EXPECT_THROW(models::Projector({2, 2, 2, "selu"}, 1), Error);
}

TEST(TrainProjector, FirstStepIsAdamOnTheWholeLoss) {
  const auto text = random_matrix(70, 20, 2), graph = random_matrix(70, 6, 3);
  const auto options = options_for(1, 0.5);
  models::Projector trained(shape_for(options), 4), untouched(shape_for(options), 4);
  distributed::LocalCommunicator communicator;
  const auto losses = train_projector(trained, text, graph, options, communicator, nullptr);
  const auto unit = [](const at::Tensor& t) { return t / t.norm(2, 1, true); };
  const auto s = unit(untouched.forward(text)).matmul(unit(graph).t()) / 0.5;
  const auto loss = -(at::log_softmax(s, 1).diagonal() + at::log_softmax(s, 0).diagonal()).mean();
  EXPECT_NEAR(losses[0], loss.item<double>(), 1e-5);
  const auto grads = torch::autograd::grad({loss}, untouched.parameter_tensors());
  int compared = 0;
  std::size_t at = 0;
  for (const at::Tensor& grad : grads) {
    const at::Tensor flat = grad.contiguous().view(-1);
    for (std::int64_t i = 0; i < flat.numel(); ++i, ++at) {
      const double slope = flat[i].item<double>();
      const double moved = trained.parameters()[at] - untouched.parameters()[at];
      if (std::fabs(slope) > 1e-5) {
        ++compared;
        ASSERT_NEAR(moved, slope > 0 ? -0.01 : 0.01, 1e-4) << at;
      }
    }
  }
  EXPECT_GT(compared, 500);
}

TEST(TrainProjector, LearnsAMapThatExists) {
  const auto text = random_matrix(200, 20, 5);
  const auto graph = text.matmul(random_matrix(20, 6, 6)).tanh();
  const auto options = options_for(150, 0.2);
  models::Projector projector(shape_for(options), 7);
  distributed::LocalCommunicator communicator;
  const auto losses = train_projector(projector, text, graph, options, communicator, nullptr);
  const AlignmentBounds bounds = alignment_bounds(200, 0.2);
  EXPECT_GT(losses.front(), 0.9 * bounds.chance);
  EXPECT_LT(losses.back(), 0.6 * bounds.chance);
  EXPECT_GT(losses.back(), bounds.lowest);
  const auto z = models::normalise_rows(project_rows(projector, text, communicator));
  const auto mean_cosine = (z * models::normalise_rows(graph)).sum(1).mean().item<double>();
  EXPECT_GT(mean_cosine, 0.7);
}

TEST(TrainProjector, BitsDoNotDependOnTheNumberOfRanks) {
  const auto text = random_matrix(143, 20, 8), graph = random_matrix(143, 6, 9);
  const auto options = options_for(5, 1.0);
  std::vector<float> expected;
  std::vector<double> expected_losses;
  at::Tensor expected_rows;
  for (const int ranks : {1, 2, 3, 7}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      models::Projector projector(shape_for(options), 4);
      const auto losses = train_projector(projector, text, graph, options, communicator, nullptr);
      const auto rows = project_rows(projector, text, communicator);
      if (ranks == 1) {
        expected = projector.parameters();
        expected_losses = losses;
        expected_rows = rows;
      }
      EXPECT_EQ(losses, expected_losses) << ranks;
      EXPECT_EQ(projector.parameters(), expected) << ranks;
      EXPECT_TRUE(rows.equal(expected_rows)) << ranks;
    });
  }
}

TEST(NormaliseRows, LeavesAZeroRowZero) {
  const auto unit = models::normalise_rows(at::tensor({0.0f, 0.0f, 3.0f, 4.0f}).view({2, 2}));
  EXPECT_TRUE(unit.equal(at::tensor({0.0f, 0.0f, 0.6f, 0.8f}).view({2, 2})));
}

}  // namespace
}  // namespace rallrec::train
