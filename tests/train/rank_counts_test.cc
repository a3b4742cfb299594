// A run of the real engine at tiny scale: the same bits however often it is run (D1), on 1, 2 and 4
// ranks with 1, 2 or more waves per step (D2), and saved on some number of ranks and resumed on
// another (K6).
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <regex>
#include <set>

#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "models/llm/kept_bytes.h"
#include "tests/models/llm/tiny_model.h"
#include "tests/support/soak.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/tiny_run.h"
#include "train/trainer.h"

namespace rallrec::train {
namespace {

using distributed::Communicator;
using models::llm::LoraAdapter;
using rallrec::testing::record_count;
using rallrec::testing::soak_count;
using rallrec::testing::TemporaryFolder;

constexpr std::int64_t kTokenBudget = 48;
const models::llm::LoraOptions kLora = {4, 8, 0.1, {"q_proj", "v_proj"}};

// Prompts of 4 to 40 tokens.
PromptDataset ragged_prompts(std::int64_t count, std::uint64_t stream) {
  PromptDataset prompts("prompts.jsonl");
  Rng rng(3, stream);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto tokens = 4 + static_cast<std::int64_t>(rng.next_below(37));
    const auto ids = models::llm::random_ids(tokens, 53, stream * 1000 + std::uint64_t(i));
    prompts.add(ids, tokens - 1 - static_cast<std::int64_t>(rng.next_below(3)), i + 1, {});
  }
  return prompts;
}

struct Result {
  std::vector<float> parameters;
  std::string log;
  std::int64_t gathered_layers = 0;  // more where a step takes more waves

  bool operator==(const Result& other) const {
    return parameters == other.parameters && log == other.log;
  }
};

class RankCounts : public ::testing::Test {
 protected:
  struct Setting {
    int ranks = 1;
    std::int64_t kept_bytes = std::int64_t{1} << 30;
    std::int64_t steps = 12;
    std::int64_t valid_prompts = 3;
  };

  Result train(const std::string& name, const Setting& setting,
               const std::string& checkpoint = "") const {
    const std::string folder = folder_.file(name);
    io::make_directories(folder);
    StopSignals signals(folder);
    const PromptDataset valid = ragged_prompts(setting.valid_prompts, 2);
    Result result;
    distributed::run_thread_ranks(setting.ranks, [&](Communicator& communicator) {
      const Result mine = run_rank(setting, folder, checkpoint, valid, communicator, signals);
      if (communicator.rank() == 0) {
        result = mine;
      }
    });
    result.log = std::regex_replace(io::read_file(folder + "/metrics.jsonl"),
                                    std::regex(", \"seconds\": [^}]*"), "");
    return result;
  }

  TemporaryFolder folder_;
  models::llm::TinyModel tiny_ = models::llm::make_tiny(models::llm::tiny_config());

 private:
  Result run_rank(const Setting& setting, const std::string& folder, const std::string& checkpoint,
                  const PromptDataset& valid, Communicator& communicator,
                  StopSignals& signals) const {
    config::TuneOptions options;
    options.batch_size = 12;
    options.max_steps = setting.steps;
    options.token_budget = kTokenBudget;
    options.learning_rate = 0.01;
    options.checkpoint_every = setting.steps / 2;
    const auto model = tiny_.load_sharded(communicator);
    model->set_kept_bytes(setting.kept_bytes);
    LoraAdapter adapter(tiny_.config, kLora, 3);
    Trainer trainer(
        tiny_run(*model, adapter, prompts_, &valid, communicator, options, folder, signals));
    if (!checkpoint.empty()) {
      trainer.restore(checkpoint);
    }
    trainer.train();
    const float* values = adapter.flat().const_data_ptr<float>();
    return {{values, values + adapter.flat().numel()}, "", model->gathered().layers};
  }

  PromptDataset prompts_ = ragged_prompts(40, 1);
};

TEST_F(RankCounts, TheSameRunTwiceIsTheSame) {
  Setting setting;
  setting.ranks = 2;
  setting.steps = soak_count("D1_steps", 20, 100);
  EXPECT_EQ(train("one", setting), train("two", setting));
  record_count("D1_steps", static_cast<int>(setting.steps));
}

TEST_F(RankCounts, NeitherRanksNorWavesChangeABit) {
  Setting setting;
  setting.steps = soak_count("D2_steps", 12, 200);
  const Result expected = train("alone", setting);
  EXPECT_NE(expected.log.find("\"valid_loss\""), std::string::npos);
  const std::int64_t micro_batch_bytes =
      models::llm::kept_bytes(tiny_.config, kLora, {kTokenBudget, kTokenBudget}, false);
  std::set<std::int64_t> gathered;
  int runs = 0;
  // The 8 micro-batches of a step are 1, 2, 4 or 8 waves of one rank; two ranks have 1, 2 or 4.
  for (const std::int64_t per_wave : {8, 4, 2, 1}) {
    for (const int ranks : {1, 2, 4}) {
      setting.ranks = ranks;
      setting.kept_bytes = per_wave == 8 ? std::int64_t{1} << 30 : per_wave * micro_batch_bytes;
      const std::string name = std::to_string(ranks) + "-" + std::to_string(per_wave);
      const Result result = train(name, setting);
      EXPECT_EQ(result, expected) << name;
      if (ranks == 2) {
        gathered.insert(result.gathered_layers);
      }
      ++runs;
    }
  }
  EXPECT_EQ(gathered.size(), 3U) << "the settings were to give different numbers of waves";
  record_count("D2_steps", static_cast<int>(setting.steps));
  record_count("D2_runs", runs);
}

TEST_F(RankCounts, ACheckpointOfAnyNumberOfRanksIsGoneOnFromWithAnyOther) {
  Setting setting;
  const Result expected = train("whole", setting);
  int pairs = 0;
  for (const int saved : {1, 2, 4}) {
    setting.ranks = saved;
    const std::string from = "saved" + std::to_string(saved);
    train(from, setting);
    for (const int resumed : {1, 2, 4}) {
      setting.ranks = resumed;
      const std::string name = from + "resumed" + std::to_string(resumed);
      io::make_directories(folder_.file(name));
      std::filesystem::copy(folder_.file(from + "/metrics.jsonl"),
                            folder_.file(name + "/metrics.jsonl"));
      EXPECT_EQ(train(name, setting, folder_.file(from + "/checkpoints/step-6")), expected) << name;
      ++pairs;
    }
  }
  record_count("K6_pairs", pairs);
}

// The deadlock rule: ranks without micro-batches and valid sets smaller than the number of ranks,
// while waves differ. A rank that left a collective out would end this with an error.
TEST_F(RankCounts, RanksWithNothingToDoStayInStep) {
  Setting setting;
  setting.kept_bytes = 1;
  for (const std::int64_t valid : {1, 2, 9}) {
    setting.valid_prompts = valid;
    setting.ranks = 1;
    const std::string name = "valid" + std::to_string(valid) + "-";
    const Result expected = train(name + "1", setting);
    for (const int ranks : {3, 4, 11}) {
      setting.ranks = ranks;
      const Result result = train(name + std::to_string(ranks), setting);
      // Of 11 ranks three have no micro-batch at all.
      EXPECT_EQ(result, expected) << name << ranks;
    }
  }
}

}  // namespace
}  // namespace rallrec::train
