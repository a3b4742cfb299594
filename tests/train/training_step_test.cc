#include "train/training_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/train/fake_causal_lm.h"

namespace rallrec::train {
namespace {

using models::llm::LoraAdapter;

std::vector<std::int64_t> first(std::int64_t count) {
  std::vector<std::int64_t> prompts(count);
  std::iota(prompts.begin(), prompts.end(), 0);
  return prompts;
}

LoraAdapter fake_adapter() {
  LoraAdapter adapter(fake_config(), {}, 5);
  return adapter;
}

StepResult step_on(int ranks, const PromptDataset& dataset, std::int64_t prompts,
                   std::int64_t budget, std::set<std::int64_t> broken = {}) {
  StepResult result;
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
    FakeCausalLm model;
    model.broken_prompts = broken;
    const LoraAdapter adapter = fake_adapter();
    StepResult mine =
        run_training_step(model, adapter, dataset, first(prompts), budget, {1, 3}, communicator);
    if (communicator.rank() == communicator.size() - 1) {
      result = std::move(mine);
    }
  });
  return result;
}

// The closed form, in double, over prompts in order.
struct Expected {
  double loss = 0.0;
  double label_word_loss = 0.0;
  std::vector<double> gradient;
};

// Of the prompts 0, halves / 2, 2 · halves / 2, …, rounded down.
Expected expected_step(const PromptDataset& dataset, std::int64_t prompts, bool dropout,
                       std::int64_t halves = 2) {
  const LoraAdapter adapter = fake_adapter();
  const float* w = adapter.flat().const_data_ptr<float>();
  const std::int64_t parameters = adapter.flat().numel();
  Expected expected;
  expected.gradient.resize(parameters);
  double labels = 0.0;
  for (std::int64_t i = 0; i < prompts; ++i) {
    const std::int64_t p = i * halves / 2;
    const std::int32_t* ids = dataset.ids_of(p);
    const std::int64_t first_label = dataset.first_label_of(p);
    for (const std::int64_t label : dataset.labels_of(p)) {
      const std::int64_t at = FakeCausalLm::slot(ids[label - 1], ids[label], parameters);
      const double difference =
          w[at] - FakeCausalLm::target(ids[label]) + (dropout ? FakeCausalLm::noise(3, p) : 0.0);
      expected.loss += 0.5 * difference * difference;
      expected.label_word_loss += label == first_label ? 0.5 * difference * difference : 0.0;
      expected.gradient[at] += difference;
      labels += 1.0;
    }
  }
  expected.loss /= labels;
  expected.label_word_loss /= static_cast<double>(prompts);
  for (double& g : expected.gradient) {
    g /= labels;
  }
  return expected;
}

TEST(TrainingStep, IsTheMeanOverAllLabels) {
  const PromptDataset dataset = fake_dataset(50);
  const Expected expected = expected_step(dataset, 50, true);
  const StepResult step = step_on(1, dataset, 50, 64);
  EXPECT_NEAR(step.loss, expected.loss, 1e-6);
  EXPECT_NEAR(step.label_word_loss, expected.label_word_loss, 1e-6);
  EXPECT_EQ(step.prompts, 50);
  EXPECT_EQ(step.bad_prompt, -1);
  std::int64_t tokens = 0;
  for (std::int64_t p = 0; p < 50; ++p) {
    tokens += dataset.size_of(p).tokens;
  }
  EXPECT_EQ(step.tokens, tokens);
  for (std::size_t i = 0; i < step.gradient.size(); ++i) {
    ASSERT_NEAR(step.gradient[i], expected.gradient[i], 1e-6) << i;
  }
}

TEST(TrainingStep, ShownAnswersCountInTheLossAndNotInThatOfTheLabelWord) {
  const PromptDataset plain = fake_dataset(50);
  const PromptDataset dataset = fake_dataset(50, 9, true);
  ASSERT_GT(dataset.size_of(7).labels, plain.size_of(7).labels);
  const Expected expected = expected_step(dataset, 50, true);
  const StepResult step = step_on(2, dataset, 50, 64);
  EXPECT_NEAR(step.loss, expected.loss, 1e-6);
  for (std::size_t i = 0; i < step.gradient.size(); ++i) {
    ASSERT_NEAR(step.gradient[i], expected.gradient[i], 1e-6) << i;
  }
  const StepResult without = step_on(2, plain, 50, 64);
  EXPECT_NE(step.loss, without.loss);
  EXPECT_NEAR(step.label_word_loss, without.label_word_loss, 1e-6);
}

TEST(TrainingStep, BitsDoNotDependOnTheNumberOfRanks) {
  const PromptDataset dataset = fake_dataset(50);
  for (const std::int64_t prompts : {1, 5, 50}) {
    const StepResult one = step_on(1, dataset, prompts, 64);
    for (const int ranks : {2, 3, 4, 8}) {
      const StepResult many = step_on(ranks, dataset, prompts, 64);
      EXPECT_EQ(one.gradient, many.gradient) << prompts << " prompts on " << ranks;
      EXPECT_EQ(one.loss, many.loss);
      EXPECT_EQ(one.label_word_loss, many.label_word_loss);
    }
  }
}

TEST(TrainingStep, NamesThePromptOfANonFiniteLossOnEveryRank) {
  const PromptDataset dataset = fake_dataset(50);
  for (const int ranks : {1, 2, 4}) {
    const StepResult step = step_on(ranks, dataset, 50, 64, {37});
    EXPECT_EQ(step.bad_prompt, 37);
    EXPECT_TRUE(std::isnan(step.loss));
  }
}

// 40 of 60: two of three, also from the end of the file.
TEST(EvaluatePrompts, IsTheClosedFormOverEvenlySpreadPromptsOnAnyNumberOfRanks) {
  const PromptDataset dataset = fake_dataset(60);
  const Expected expected = expected_step(dataset, 40, false, 3);
  std::vector<EvaluationResult> results;
  for (const int ranks : {1, 2, 4}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      FakeCausalLm model;
      const LoraAdapter adapter = fake_adapter();
      const EvaluationResult result =
          evaluate_prompts(model, &adapter, dataset, 40, 20, communicator);
      if (communicator.rank() == 0) {
        results.push_back(result);
      }
    });
  }
  EXPECT_EQ(results[0].prompts, 40);
  EXPECT_NEAR(results[0].loss, expected.loss, 1e-6);
  EXPECT_NEAR(results[0].label_word_loss, expected.label_word_loss, 1e-6);
  EXPECT_EQ(results[0].loss, results[1].loss);
  EXPECT_EQ(results[0].loss, results[2].loss);
}

}  // namespace
}  // namespace rallrec::train
