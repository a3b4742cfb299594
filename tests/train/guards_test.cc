// What must never reach the optimizer, and replicas that stopped being equal.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <memory>

#include "core/error.h"
#include "core/finite.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "tests/models/llm/tiny_model.h"
#include "tests/support/expect_error.h"
#include "tests/support/soak.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/fake_causal_lm.h"
#include "tests/train/tiny_run.h"
#include "train/replica_digest.h"
#include "train/trainer.h"

namespace rallrec::train {
namespace {

using distributed::Communicator;
using models::llm::LoraAdapter;
using models::llm::MicroBatch;
using models::llm::MicroBatchResult;
using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

config::TuneOptions options_of(std::int64_t steps) {
  config::TuneOptions options;
  options.batch_size = 8;
  options.max_steps = steps;
  options.token_budget = 64;
  options.learning_rate = 0.05;
  options.checkpoint_every = 1000;
  return options;
}

// A short run whose model and memory a test may damage.
struct Training {
  std::string folder;
  config::TuneOptions options = options_of(8);
  int ranks = 1;
  // Called once on each rank, before training.
  std::function<void(Communicator&, FakeCausalLm&, LoraAdapter&, const Trainer&)> prepare;
  // Called on each rank afterwards.
  std::function<void(const LoraAdapter&, const TrainingState&)> inspect =
      [](const LoraAdapter&, const TrainingState&) {};

  void run(const std::string& checkpoint = "") const {
    StopSignals signals(folder);
    const PromptDataset prompts = fake_dataset(30);
    distributed::run_thread_ranks(ranks, [&](Communicator& communicator) {
      FakeCausalLm model;
      LoraAdapter adapter(fake_config(), {}, 42);
      Trainer trainer(
          tiny_run(model, adapter, prompts, nullptr, communicator, options, folder, signals));
      if (!checkpoint.empty()) {
        trainer.restore(checkpoint);
      }
      prepare(communicator, model, adapter, trainer);
      trainer.train();
      inspect(adapter, trainer.state());
    });
  }
};

// N1: a value that is not finite, in the loss or at a place of the gradient of one prompt.
TEST(Guards, NoneOfAHundredInjectionsReachesTheOptimizer) {
  Rng rng(31);
  TemporaryFolder folder;
  const float values[] = {kNan, kInfinity, -kInfinity};
  for (int injection = 0; injection < 100; ++injection) {
    Training run;
    run.folder = folder.file(std::to_string(injection));
    io::make_directories(run.folder);
    run.ranks = 1 + static_cast<int>(rng.next_below(3));
    const auto prompt = static_cast<std::int64_t>(rng.next_below(30));
    const float value = values[rng.next_below(3)];
    const bool in_loss = rng.next_below(2) == 0;
    const std::uint64_t place = rng.next_u64();
    const auto fault = [=](const MicroBatch& batch, MicroBatchResult& result) {
      const auto& samples = batch.samples;
      if (std::find(samples.begin(), samples.end(), prompt) == samples.end()) {
        return;
      }
      float* const target =
          in_loss ? result.label_losses.data() : result.gradient.mutable_data_ptr<float>();
      const std::size_t count =
          in_loss ? result.label_losses.size() : static_cast<std::size_t>(result.gradient.numel());
      target[place % count] = value;
    };
    run.prepare = [&](Communicator&, FakeCausalLm& model, LoraAdapter&, const Trainer&) {
      model.fault = fault;
    };
    run.inspect = [&](const LoraAdapter& adapter, const TrainingState& state) {
      const auto count = static_cast<std::size_t>(adapter.flat().numel());
      // Two epochs of four steps, in each of which one step holds the prompt.
      EXPECT_EQ(state.adam.steps(), 6);
      EXPECT_TRUE(all_finite(adapter.flat().const_data_ptr<float>(), count));
      EXPECT_TRUE(all_finite(state.adam.first_moment().data(), count));
      EXPECT_TRUE(all_finite(state.adam.second_moment().data(), count));
    };
    run.run();
    const std::string log = io::read_file(run.folder + "/metrics.jsonl");
    EXPECT_NE(log.find("\"skipped\": true"), std::string::npos);
  }
  rallrec::testing::record_count("N1_injections", 100);
}

// N1 inside a real model: activations or weights in memory, in fp32 and in int8, where a NaN could
// vanish when it is quantised.
TEST(Guards, ActivationsThatAreNotFiniteAreSeenInLossOrGradient) {
  using models::llm::QuantMode;
  const models::llm::TinyModel intact = models::llm::make_tiny(models::llm::tiny_config());
  PromptDataset prompts("prompts.jsonl");
  for (std::int64_t i = 0; i < 4; ++i) {
    prompts.add(models::llm::random_ids(9 + i, 53, static_cast<std::uint64_t>(i)), 8, i + 1, {});
  }
  const models::llm::LoraOptions lora = {4, 8, 0.1, {"q_proj", "v_proj"}};
  const auto bad_prompt = [&](const models::llm::TinyModel& tiny, QuantMode type,
                              const LoraAdapter& adapter) {
    const auto model = tiny.load(type);
    std::int64_t bad = -1;
    distributed::run_thread_ranks(1, [&](Communicator& communicator) {
      bad = run_training_step(*model, adapter, prompts, {0, 1, 2, 3}, 16, {1, 1}, communicator)
                .bad_prompt;
    });
    return bad;
  };
  for (const QuantMode type : {QuantMode::kFloat32, QuantMode::kW8a8}) {
    EXPECT_EQ(bad_prompt(intact, type, models::llm::make_adapter(intact.config, lora)), -1);
    for (const float value : {kNan, kInfinity, -kInfinity}) {
      for (const char* name : {"model.layers.0.input_layernorm.weight",
                               "model.layers.1.post_attention_layernorm.weight",
                               "model.layers.2.input_layernorm.weight", "model.norm.weight"}) {
        models::llm::TinyModel tiny = intact;
        tiny.weights[name] = intact.weights.at(name).clone();
        tiny.weights[name][3] = value;
        EXPECT_GE(bad_prompt(tiny, type, models::llm::make_adapter(tiny.config, lora)), 0)
            << name << " " << value;
      }
      const LoraAdapter adapter = models::llm::make_adapter(intact.config, lora);
      adapter.b(1, "v_proj")[2][1] = value;
      EXPECT_GE(bad_prompt(intact, type, adapter), 0) << "adapter " << value;
    }
  }
}

TEST(Guards, AGradientWhoseSquareOverflowsEndsTheRunBeforeACheckpoint) {
  TemporaryFolder folder;
  Training run;
  run.folder = folder.path();
  run.options.max_grad_norm = 0.0;
  run.prepare = [](Communicator&, FakeCausalLm& model, LoraAdapter&, const Trainer&) {
    model.fault = [](const MicroBatch&, MicroBatchResult& result) { result.gradient[0] = 1e30; };
  };
  expect_error(ExitCode::kNonFinite, "step 1: the adapter or its optimizer is not finite",
               [&] { run.run(); });
  EXPECT_FALSE(io::file_exists(folder.file("checkpoints")));
}

// The part of a rank's replica that a bit is flipped in.
enum class Part { kAdapter, kFirstMoment, kSecondMoment };

void flip_bit(float* value, unsigned bit) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, value, sizeof bits);
  bits ^= 1U << bit;
  std::memcpy(value, &bits, sizeof bits);
}

// A failing memory cell asks nobody, so this writes where the trainer only lends for reading.
void damage(LoraAdapter& adapter, const TrainingState& state, Part part, std::uint64_t place,
            unsigned bit) {
  float* values = adapter.flat().mutable_data_ptr<float>();
  if (part != Part::kAdapter) {
    values = const_cast<float*>(part == Part::kFirstMoment ? state.adam.first_moment().data()
                                                           : state.adam.second_moment().data());
  }
  flip_bit(values + place % static_cast<std::uint64_t>(adapter.flat().numel()), bit);
}

// N2: any bit of any replica, at the next comparison.
TEST(Guards, EveryFlippedBitOfAReplicaIsFoundAndItsRankNamed) {
  Rng rng(12);
  for (int trial = 0; trial < 200; ++trial) {
    const int ranks = 2 + static_cast<int>(rng.next_below(3));
    const int victim = static_cast<int>(rng.next_below(static_cast<std::uint64_t>(ranks)));
    const auto part = static_cast<Part>(rng.next_below(3));
    const std::uint64_t place = rng.next_u64();
    const auto bit = static_cast<unsigned>(rng.next_below(32));
    const std::string named =
        ranks == 2 ? "ranks 0, 1 differ" : "rank " + std::to_string(victim) + " differ";
    expect_error(ExitCode::kDiverged, named, [&] {
      distributed::run_thread_ranks(ranks, [&](Communicator& communicator) {
        LoraAdapter adapter(fake_config(), {}, 42);
        TrainingState state;
        state.adam = Adam(adapter.flat().numel());
        require_equal_replicas(adapter, state, communicator);
        if (communicator.rank() == victim) {
          damage(adapter, state, part, place, bit);
        }
        require_equal_replicas(adapter, state, communicator);
      });
    });
  }
  rallrec::testing::record_count("N2_flips", 200);
}

TEST(Guards, ARunWhoseReplicasDifferEndsBeforeItsNextCheckpoint) {
  for (const Part part : {Part::kAdapter, Part::kFirstMoment, Part::kSecondMoment}) {
    TemporaryFolder folder;
    Training run;
    run.folder = folder.path();
    run.ranks = 4;
    run.options.checkpoint_every = 3;
    run.prepare = [&](Communicator& communicator, FakeCausalLm& model, LoraAdapter& adapter,
                      const Trainer& trainer) {
      const auto calls = std::make_shared<int>(0);
      const bool victim = communicator.rank() == 0;
      model.on_step = [&adapter, &trainer, part, calls, victim] {
        // In the fifth step, in a bit that one update does not round away.
        if (victim && ++*calls == 5) {
          damage(adapter, trainer.state(), part, 3, 22);
        }
      };
    };
    expect_error(ExitCode::kDiverged, "step 6: adapter and optimizer of rank 0 differ",
                 [&] { run.run(); });
    const auto checkpoints = list_checkpoints(folder.file("checkpoints"));
    ASSERT_EQ(checkpoints.size(), 1U);
    EXPECT_EQ(checkpoints[0], folder.file("checkpoints/step-3"));
  }
}

TEST(Guards, TheMajorityIsBelieved) {
  EXPECT_EQ(ranks_that_differ({"a", "a", "a"}), (std::vector<int>{}));
  EXPECT_EQ(ranks_that_differ({"b", "a", "a"}), (std::vector<int>{0}));
  EXPECT_EQ(ranks_that_differ({"a", "b", "a", "c", "a"}), (std::vector<int>{1, 3}));
  EXPECT_EQ(ranks_that_differ({"a", "b", "b", "a"}), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(ranks_that_differ({"a"}), (std::vector<int>{}));
}

// The outlier is the same, and in the log, whether or not the run was stopped before it.
TEST(Guards, OutliersAreLoggedAlsoAfterAResume) {
  TemporaryFolder folder;
  Training whole;
  whole.folder = folder.file("whole");
  whole.options = options_of(40);
  std::int64_t from = 0;
  whole.prepare = [&](Communicator&, FakeCausalLm& model, LoraAdapter&, const Trainer&) {
    const auto step = std::make_shared<std::int64_t>(from);
    model.on_step = [step] { ++*step; };
    model.fault = [step](const MicroBatch&, MicroBatchResult& result) {
      if (*step == 30) {
        for (float& loss : result.label_losses) {
          loss += 1000.0F;
        }
      }
    };
  };
  whole.options.checkpoint_every = 25;
  io::make_directories(whole.folder);
  whole.run();
  const std::string log = io::read_file(whole.folder + "/metrics.jsonl");
  EXPECT_NE(log.find("\"loss_z\": ", log.find("\"step\": 30,")), std::string::npos) << log;
  EXPECT_EQ(log.find("\"loss_z\": "), log.rfind("\"loss_z\": "));

  Training resumed = whole;
  resumed.folder = folder.file("resumed");
  io::make_directories(resumed.folder);
  from = 25;
  resumed.run(whole.folder + "/checkpoints/step-25");
  const std::string rest = io::read_file(resumed.folder + "/metrics.jsonl");
  const auto z_of = [](const std::string& text) {
    const std::size_t at = text.find("\"loss_z\": ");
    return at == std::string::npos ? "none" : text.substr(at, text.find(',', at) - at);
  };
  EXPECT_EQ(z_of(rest), z_of(log));
}

}  // namespace
}  // namespace rallrec::train
