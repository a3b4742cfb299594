#include "train/trainer.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <regex>

#include "core/error.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/fake_causal_lm.h"
#include "tests/train/tiny_run.h"

namespace rallrec::train {
namespace {

using models::llm::LoraAdapter;
using testing::expect_error;
using testing::TemporaryFolder;

config::TuneOptions small_options() {
  config::TuneOptions options;
  options.batch_size = 8;
  options.epochs = 3;
  options.token_budget = 64;
  options.learning_rate = 0.05;
  options.checkpoint_every = 2;
  return options;
}

// One process's life: from the newest checkpoint, if any, to whatever ends it.
struct Life {
  std::string folder;
  config::TuneOptions options = small_options();
  int ranks = 1;
  std::int64_t prompts = 30;
  std::int64_t valid_prompts = 0;
  std::int64_t stop_at_call = -1;  // SIGUSR1 arrives during this step of this life
  std::set<std::int64_t> broken_prompts;

  TrainingOutcome outcome = TrainingOutcome::kFinished;
  std::int64_t steps = 0;
  std::vector<float> parameters;
  bool moved = false;

  void run() {
    std::filesystem::create_directories(folder);
    // One that comes in the last step is passed on, and nobody listens here.
    std::signal(SIGUSR1, SIG_IGN);
    StopSignals signals(folder);
    const PromptDataset train = fake_dataset(prompts);
    const PromptDataset valid = fake_dataset(valid_prompts, 77);
    const std::string checkpoint = newest_checkpoint(folder + "/checkpoints");
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      run_rank(communicator, train, valid, checkpoint, signals);
    });
  }

 private:
  void run_rank(distributed::Communicator& communicator, const PromptDataset& train,
                const PromptDataset& valid, const std::string& checkpoint, StopSignals& signals) {
    FakeCausalLm model;
    model.broken_prompts = broken_prompts;
    std::int64_t calls = 0;
    model.on_step = [&] {
      if (communicator.rank() == communicator.size() - 1 && calls++ == stop_at_call) {
        std::raise(SIGUSR1);
      }
    };
    LoraAdapter adapter(fake_config(), {}, 42);
    Trainer trainer(tiny_run(model, adapter, train, valid_prompts > 0 ? &valid : nullptr,
                             communicator, options, folder, signals));
    if (!checkpoint.empty()) {
      trainer.restore(checkpoint);
    }
    const TrainingOutcome result = trainer.train();
    if (communicator.rank() == 0) {
      outcome = result;
      steps = trainer.state().step;
      moved = trainer.moved_the_adapter();
      const float* values = adapter.flat().const_data_ptr<float>();
      parameters.assign(values, values + adapter.flat().numel());
    }
  }
};

std::string log_without_times(const std::string& folder) {
  return std::regex_replace(io::read_file(folder + "/metrics.jsonl"),
                            std::regex("\"seconds\": [^}]*"), "");
}

TEST(Trainer, LearnsTheTargetsOfTheClosedForm) {
  TemporaryFolder folder;
  Life life;
  life.folder = folder.file("run");
  life.options.epochs = 30;
  life.options.learning_rate = 0.3;
  life.run();
  EXPECT_EQ(life.steps, 120);  // 30 prompts in 4 steps
  const std::string log = log_without_times(life.folder);
  const auto loss_of = [&](std::size_t at) {
    return std::stod(log.substr(log.find("\"loss\": ", at) + 8));
  };
  EXPECT_LT(loss_of(log.rfind("{\"step\"")), 0.2 * loss_of(0));
}

TEST(Trainer, AStoppedRunEndsLikeAnUnbrokenOne) {
  TemporaryFolder folder;
  Life whole;
  whole.folder = folder.file("whole");
  whole.valid_prompts = 11;
  whole.run();
  for (const std::int64_t stop : {0, 1, 4}) {
    Life broken = whole;
    broken.folder = folder.file("broken" + std::to_string(stop));
    broken.stop_at_call = stop;
    int lives = 0;
    do {
      // Each life at another number of ranks.
      broken.ranks = 1 << (lives % 3);
      broken.run();
      ++lives;
    } while (broken.outcome == TrainingOutcome::kCheckpointed && lives < 50);
    EXPECT_GT(lives, 2);
    EXPECT_EQ(broken.parameters, whole.parameters);
    EXPECT_EQ(log_without_times(broken.folder), log_without_times(whole.folder));
  }
}

TEST(Trainer, LinesLoggedAfterTheLastCheckpointAreWrittenAgain) {
  TemporaryFolder folder;
  Life whole;
  whole.folder = folder.file("run");
  whole.run();
  const std::string log = log_without_times(whole.folder);
  // As after a kill: the newest checkpoints are gone, the log runs ahead and ends in half a line.
  for (const std::string& path : list_checkpoints(whole.folder + "/checkpoints")) {
    if (path.substr(path.rfind('-')) != "-8") {
      std::filesystem::remove_all(path);
    }
  }
  std::ofstream(whole.folder + "/metrics.jsonl", std::ios::app) << "{\"step\": 13, \"lo";
  Life again = whole;
  again.run();
  EXPECT_EQ(log_without_times(again.folder), log);
  EXPECT_EQ(again.parameters, whole.parameters);
}

TEST(Trainer, KeepsTheBestByValidationAndStopsEarly) {
  TemporaryFolder folder;
  Life life;
  life.folder = folder.file("run");
  life.valid_prompts = 20;
  life.options.epochs = 60;
  life.options.patience = 2;
  life.options.learning_rate = 0.3;
  life.run();
  EXPECT_LT(life.steps, 240);
  const std::string log = log_without_times(life.folder);
  // The best line's loss must be what the returned parameters give.
  double best = 1e300;
  for (std::size_t at = 0; (at = log.find("\"valid_label_word_loss\": ", at)) != std::string::npos;
       ++at) {
    best = std::min(best, std::stod(log.substr(at + 25)));
  }
  distributed::run_thread_ranks(1, [&](distributed::Communicator& communicator) {
    FakeCausalLm model;
    LoraAdapter adapter(fake_config(), {}, 42);
    std::memcpy(adapter.flat().mutable_data_ptr<float>(), life.parameters.data(),
                life.parameters.size() * sizeof(float));
    const PromptDataset valid = fake_dataset(20, 77);
    EXPECT_EQ(evaluate_prompts(model, &adapter, valid, 1000, 64, communicator).label_word_loss,
              best);
  });
}

// The first step of a warm-up has the learning rate 0, and here the second makes everything worse.
TEST(Trainer, ABestFromBeforeTheFirstUpdateHasNotMoved) {
  TemporaryFolder folder;
  Life life;
  life.folder = folder.file("run");
  life.valid_prompts = 20;
  life.options.batch_size = 30;  // a step per epoch
  life.options.warmup_steps = 1;
  life.options.learning_rate = 100.0;
  life.run();
  EXPECT_EQ(life.steps, 3);
  EXPECT_FALSE(life.moved);
  life.folder = folder.file("slow");
  life.options.learning_rate = 0.05;
  life.run();
  EXPECT_TRUE(life.moved);
}

TEST(Trainer, ANonFiniteStepMakesNoUpdateAndThreeInARowEndTheRun) {
  TemporaryFolder folder;
  Life life;
  life.folder = folder.file("one");
  life.broken_prompts = {17};
  life.ranks = 2;
  life.run();  // four steps per epoch, one of them broken
  const std::string log = log_without_times(life.folder);
  EXPECT_NE(log.find("\"loss\": null"), std::string::npos);
  EXPECT_NE(log.find("\"skipped\": true"), std::string::npos);
  for (const float value : life.parameters) {
    ASSERT_TRUE(std::isfinite(value));
  }

  Life doomed;
  doomed.folder = folder.file("all");
  for (std::int64_t prompt = 0; prompt < 30; ++prompt) {
    doomed.broken_prompts.insert(prompt);
  }
  try {
    doomed.run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kNonFinite);
    EXPECT_NE(std::string(error.what()).find("step 3"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("prompts.jsonl:"), std::string::npos);
  }
}

TEST(Trainer, AnUpdateThatIsNotFiniteEndsTheRunAtOnce) {
  TemporaryFolder folder;
  Life life;
  life.folder = folder.file("run");
  life.options.learning_rate = 1e45;  // infinite as a float
  expect_error(ExitCode::kNonFinite, "step 1: the adapter or its optimizer is not finite",
               [&] { life.run(); });
}

TEST(Trainer, GoesOnWithoutCheckpointsUntilTheThirdFailure) {
  TemporaryFolder folder;
  Life life;
  life.folder = folder.file("run");
  std::filesystem::create_directories(life.folder);
  // A file where the folder should be: every attempt fails.
  std::ofstream(life.folder + "/checkpoints") << "in the way";
  try {
    life.run();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kIo);
  }
  const std::string log = log_without_times(life.folder);
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 6);  // checkpoints due at 2, 4, 6
}

TEST(Trainer, ACheckpointFromBeyondTheEndIsRefused) {
  TemporaryFolder folder;
  Life life;
  life.folder = folder.file("run");
  LoraAdapter adapter(fake_config(), {}, 42);
  TrainingState state;
  state.step = 1000;
  state.adam = Adam(adapter.flat().numel());
  std::filesystem::create_directories(life.folder + "/checkpoints");
  save_checkpoint(life.folder + "/checkpoints", adapter, state, {"c", "d", "m"}, {"tiny", 2, 1});
  expect_error(ExitCode::kBadData, "step-1000: is of step 1000, but this run has 12 steps",
               [&] { life.run(); });
}

TEST(Trainer, ACheckpointIsWrittenOnRequest) {
  TemporaryFolder folder;
  Life life;
  life.folder = folder.file("run");
  life.options.checkpoint_every = 1000;
  std::filesystem::create_directories(life.folder);
  std::ofstream(life.folder + "/checkpoint.now") << "";
  life.run();
  EXPECT_FALSE(std::filesystem::exists(life.folder + "/checkpoint.now"));
  const auto checkpoints = list_checkpoints(life.folder + "/checkpoints");
  ASSERT_EQ(checkpoints.size(), 2U);  // after the first step, and at the end
  EXPECT_NE(checkpoints[1].find("step-1"), std::string::npos);
}

}  // namespace
}  // namespace rallrec::train
