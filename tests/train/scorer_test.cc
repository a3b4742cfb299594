#include "train/scorer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "distributed/thread_communicator.h"
#include "tests/support/expect_error.h"
#include "tests/train/fake_causal_lm.h"

namespace rallrec::train {
namespace {

using rallrec::testing::expect_error;

std::vector<Score> score_on(int ranks, const PromptDataset& prompts, bool squashed) {
  std::vector<Score> scores;
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
    FakeCausalLm model;
    auto mine = score_prompts(model, nullptr, prompts, {7, 11}, {40, squashed}, communicator);
    if (communicator.rank() == communicator.size() - 1) {
      scores = std::move(mine);
    }
  });
  return scores;
}

// The fake model's logits: sin(state · (id + 1)), where the state is the sum of the ids / 100.
double expected_logit(const PromptDataset& prompts, std::int64_t prompt, std::int64_t id) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < prompts.size_of(prompt).tokens; ++i) {
    sum += prompts.ids_of(prompt)[i];
  }
  return std::sin(0.01 * sum * static_cast<double>(id + 1));
}

TEST(ScorePrompts, TakesTheLabelWordsLogitsAtTheLastToken) {
  const PromptDataset prompts = fake_dataset(31);
  const std::vector<Score> scores = score_on(1, prompts, true);
  ASSERT_EQ(scores.size(), 31U);
  for (std::int64_t i = 0; i < 31; ++i) {
    const double yes = expected_logit(prompts, i, 7);
    const double no = expected_logit(prompts, i, 11);
    EXPECT_NEAR(scores[i].logit_yes, yes, 1e-4);
    EXPECT_NEAR(scores[i].logit_no, no, 1e-4);
    EXPECT_NEAR(scores[i].probability(), std::exp(yes) / (std::exp(yes) + std::exp(no)), 1e-4);
    double sum = 0.0;
    for (std::int64_t id = 0; id < 64; ++id) {
      sum += std::exp(expected_logit(prompts, i, id));
    }
    const double difference = (std::exp(yes) - std::exp(no)) / sum;
    EXPECT_NEAR(scores[i].squashed, 1.0 / (1.0 + std::exp(-difference)), 1e-4);
  }
}

// (P_yes, P_no) = (.9, .1) → .9, squashed .6900; (.3, .7) → .3, squashed .4013.
TEST(ScorePrompts, ProbabilityIsTheTwoWaySoftmax) {
  EXPECT_NEAR((Score{std::log(0.9), std::log(0.1), 0.0}).probability(), 0.9, 1e-12);
  EXPECT_NEAR((Score{std::log(0.3), std::log(0.7), 0.0}).probability(), 0.3, 1e-12);
  EXPECT_EQ((Score{1000.0, -1000.0, 0.0}).probability(), 1.0);
  EXPECT_EQ((Score{-1000.0, 1000.0, 0.0}).probability(), 0.0);
}

TEST(ScorePrompts, IsTheSameOnAnyNumberOfRanks) {
  for (const std::int64_t count : {1, 2, 31}) {
    const PromptDataset prompts = fake_dataset(count);
    const std::vector<Score> one = score_on(1, prompts, false);
    for (const int ranks : {2, 3, 4, 8}) {
      const std::vector<Score> many = score_on(ranks, prompts, false);
      ASSERT_EQ(many.size(), one.size());
      for (std::size_t i = 0; i < one.size(); ++i) {
        EXPECT_EQ(many[i].logit_yes, one[i].logit_yes) << i << " of " << count << " on " << ranks;
        EXPECT_EQ(many[i].logit_no, one[i].logit_no);
        EXPECT_TRUE(std::isnan(many[i].squashed));
      }
    }
  }
}

// 12 shared tokens, prompts that are nothing but them and two more, batches of two and three.
TEST(ScorePrompts, ComputesACommonStartOncePerBatch) {
  PromptDataset prompts("prompts.jsonl");
  std::int64_t tokens = 0;
  for (std::int64_t prompt = 0; prompt < 5; ++prompt) {
    std::vector<std::int64_t> ids = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 20 + prompt, 7};
    ids.resize(ids.size() + static_cast<std::size_t>(2 * (prompt % 3)), 30 + prompt);
    tokens += static_cast<std::int64_t>(ids.size());
    const auto length = static_cast<std::int64_t>(ids.size());
    prompts.add(ids, length, prompt + 1);
  }
  distributed::run_thread_ranks(1, [&](distributed::Communicator& communicator) {
    FakeCausalLm model;
    const auto scores = score_prompts(model, nullptr, prompts, {7, 11}, {52, false}, communicator);
    for (std::int64_t i = 0; i < prompts.size(); ++i) {
      EXPECT_NEAR(scores[i].logit_yes, expected_logit(prompts, i, 7), 1e-4);
      EXPECT_NEAR(scores[i].logit_no, expected_logit(prompts, i, 11), 1e-4);
    }
    EXPECT_EQ(model.computed_tokens, tokens - 12 * (5 - 2));
  });
}

TEST(ScorePrompts, NamesThePromptOfANonFiniteLogit) {
  class Broken : public FakeCausalLm {
   public:
    at::Tensor logits_of(const at::Tensor& rows, const std::vector<std::int64_t>& ids) override {
      return FakeCausalLm::logits_of(rows, ids) / (rows.select(1, 0).unsqueeze(1) > 0.03);
    }
  };
  PromptDataset prompts("prompts.jsonl");
  prompts.add({9, 9}, 1, 1);
  prompts.add({1, 1}, 1, 2);  // state 0.02
  distributed::run_thread_ranks(1, [&](distributed::Communicator& communicator) {
    Broken model;
    expect_error(ExitCode::kNonFinite, "prompts.jsonl:2", [&] {
      score_prompts(model, nullptr, prompts, {7, 11}, {40, false}, communicator);
    });
  });
}

}  // namespace
}  // namespace rallrec::train
