// Twenty steps of the trainer on the tiny checkpoints against tests/golden/losses.json, which
// tests/golden/make_loss_golden.py computed in double without the engine (D6).
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "distributed/local_communicator.h"
#include "io/files.h"
#include "models/llm/causal_lm.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/tiny_run.h"

namespace rallrec::train {
namespace {

using Json = nlohmann::json;

const std::string kFolder = std::string(RALLREC_SOURCE_DIR) + "/tests/golden/";
constexpr std::int64_t kPrompts = 12;
constexpr double kTolerance = 1e-5;  // relative

// The prompts of make_loss_golden.py: the last one or two tokens are trained on.
PromptDataset golden_prompts() {
  PromptDataset prompts("prompts.jsonl");
  for (std::int64_t p = 0; p < kPrompts; ++p) {
    std::vector<std::int64_t> ids;
    for (std::int64_t t = 0; t < 5 + 7 * p % 23; ++t) {
      ids.push_back((31 * p + 17 * t + 3 * t * t) % 131);
    }
    prompts.add(ids, static_cast<std::int64_t>(ids.size()) - 1 - p % 2, p + 1);
  }
  return prompts;
}

void fill_first_parameters(models::llm::LoraAdapter& adapter) {
  float* values = adapter.flat().mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < adapter.flat().numel(); ++i) {
    values[i] = static_cast<float>(double((37 * i + 11) % 101 - 50) / 500.0);
  }
}

struct Setting {
  const char* name;
  models::llm::LoraOptions lora;
  double learning_rate;
  std::int64_t warmup_steps;
  double max_grad_norm;
};

const Setting kSettings[] = {
    {"attention", {4, 8.0, 0.0, {"q_proj", "v_proj"}}, 1e-2, 0, 0.5},
    {"all",
     {2, 6.0, 0.0, {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}},
     5e-3,
     5,
     0.0},
};

struct Case {
  const char* model;
  int setting;
};

class GoldenLosses : public ::testing::TestWithParam<Case> {};

TEST_P(GoldenLosses, OfTwentyStepsAreThoseOfDoublePrecision) {
  const Setting& setting = kSettings[GetParam().setting];
  const std::string name = std::string(GetParam().model) + "_" + setting.name;
  std::ifstream file(kFolder + "losses.json");
  const Json golden = Json::parse(file).at(name);
  const std::vector<double> losses = golden.at("losses");
  const std::vector<double> norms = golden.at("gradient_norms");
  ASSERT_EQ(losses.size(), 20U);

  config::TuneOptions options;
  options.batch_size = kPrompts;  // so that the order of the epochs does not matter
  options.max_steps = 20;
  options.checkpoint_every = 20;
  options.token_budget = 48;
  options.learning_rate = setting.learning_rate;
  options.warmup_steps = setting.warmup_steps;
  options.max_grad_norm = setting.max_grad_norm;
  const rallrec::testing::TemporaryFolder folder;
  StopSignals signals(folder.path());
  distributed::LocalCommunicator communicator;
  const auto model = models::llm::load_causal_lm(kFolder + "tiny/" + GetParam().model, "fp32");
  models::llm::LoraAdapter adapter(model->config(), setting.lora, 1);
  fill_first_parameters(adapter);
  const PromptDataset prompts = golden_prompts();
  Trainer trainer(
      tiny_run(*model, adapter, prompts, nullptr, communicator, options, folder.path(), signals));
  ASSERT_EQ(trainer.train(), TrainingOutcome::kFinished);

  std::ifstream log(folder.file("metrics.jsonl"));
  std::size_t step = 0;
  double most = 0.0;
  for (std::string line; std::getline(log, line); ++step) {
    ASSERT_LT(step, losses.size());
    const Json record = Json::parse(line);
    const double loss = record.at("loss");
    const double norm = record.at("grad_norm");
    EXPECT_NEAR(loss, losses[step], kTolerance * losses[step]) << "step " << step + 1;
    EXPECT_NEAR(norm, norms[step], 10 * kTolerance * norms[step]) << "step " << step + 1;
    most = std::max(most, std::abs(loss / losses[step] - 1.0));
  }
  EXPECT_EQ(step, losses.size());
  RecordProperty("largest_relative_difference", Json(most).dump());
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const char* model : {"grouped", "tied", "head_dim", "scaled", "sharded_bf16"}) {
    cases.push_back({model, 0});
    cases.push_back({model, 1});
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(TinyModels, GoldenLosses, ::testing::ValuesIn(all_cases()),
                         [](const auto& info) {
                           return std::string(info.param.model) + "_" +
                                  kSettings[info.param.setting].name;
                         });

}  // namespace
}  // namespace rallrec::train
