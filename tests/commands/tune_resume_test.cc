// `rallrec tune` interrupted: by kill -9 at random moments, by SIGUSR1, by a request for a
// checkpoint.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>

#include "tests/commands/background_program.h"
#include "tests/commands/tuning_fixture.h"
#include "tests/support/soak.h"
#include "train/checkpoint.h"

namespace rallrec::testing {
namespace {

// Long enough to be interrupted: 60 steps with a checkpoint every 5.
const std::vector<std::string> kLong = {"--set", "tune.max_steps=60", "--set",
                                        "tune.checkpoint_every=5"};

class TuneResume : public TuningFixture {
 protected:
  void SetUp() override {
    train_ = write_prompts("train.jsonl", 40, 1);
    static const TemporaryFolder unbroken;  // the same for all tests, so made once
    const std::string kept = unbroken.file("whole");
    if (!std::filesystem::exists(kept)) {
      const Outcome outcome = run(1, tune_arguments(train_, "whole", kLong));
      ASSERT_EQ(outcome.code, 0) << outcome.err;
      std::filesystem::copy(folder.file("whole"), kept, std::filesystem::copy_options::recursive);
    } else {
      std::filesystem::copy(kept, folder.file("whole"), std::filesystem::copy_options::recursive);
    }
  }
  bool has_logged(const std::string& output, int lines) const {
    return lines_in(folder.get(output + "/metrics.jsonl")) >= lines;
  }

  // Kills a rank within the next steps, or while the program starts. False where it had ended.
  bool kill_a_rank(BackgroundProgram& program, const std::string& output, Rng& rng) const {
    if (rng.next_below(4) != 0) {
      const int lines = lines_in(folder.get(output + "/metrics.jsonl")) + 1;
      wait_until([&] { return has_logged(output, lines) || !program.running(); }, 60);
    }
    ::usleep(static_cast<unsigned>(rng.next_below(400000)));
    const std::vector<pid_t> ranks = program.children();
    const std::size_t rank = ranks.empty() ? 0 : rng.next_below(ranks.size());
    if (!program.running() || ranks.empty() || ::kill(ranks[rank], SIGKILL) != 0) {
      return false;
    }
    const int logged = lines_in(folder.get(output + "/metrics.jsonl"));
    record_event(R"({"test": "K1", "run": ")" + output + R"(", "killed_rank": )" +
                 std::to_string(rank) + R"(, "logged_steps": )" + std::to_string(logged) + "}");
    return true;
  }

  std::string train_;
};

// K1: one of two ranks that share an int8 base, at any moment from start to end; run after run is
// killed and started again until it comes to its end, and must then be the unbroken one. The kills
// of a run count when it did. RALLREC_SOAK_K1_seed moves the moments.
TEST_F(TuneResume, KilledAtRandomMomentsItEndsTheSame) {
  std::vector<std::string> shared = kLong;
  shared.insert(shared.end(), {"--quant", "w8a8"});
  const Outcome unbroken = run(1, tune_arguments(train_, "unbroken", shared));
  ASSERT_EQ(unbroken.code, 0) << unbroken.err;
  const int wanted = soak_count("K1_kills", 20, 500);
  Rng rng(20, static_cast<std::uint64_t>(soak_count("K1_seed", 0, 0)));
  int kills = 0;
  int runs = 0;
  for (; kills < wanted && !soak_time_is_over(); ++runs) {
    const std::string name = "killed" + std::to_string(runs);
    const int before = kills;
    bool ended = false;
    while (!ended) {
      BackgroundProgram program(on_ranks(2, tune_arguments(train_, name, shared)), variables(),
                                folder.file("output.txt"));
      if (kills < wanted && !soak_time_is_over()) {
        kills += kill_a_rank(program, name, rng) ? 1 : 0;
      }
      ended = program.wait() == 0;
    }
    expect_same_run("unbroken", name);
    record_event(R"({"test": "K1", "run": ")" + name + R"(", "kills": )" +
                 std::to_string(kills - before) + R"(, "identical": )" +
                 (HasFailure() ? "false" : "true") + "}");
    ASSERT_FALSE(HasFailure()) << folder.get("output.txt");
    std::filesystem::remove_all(folder.file(name));
  }
  EXPECT_TRUE(kills >= wanted || soak_time_is_over());
  record_count("K1_kills", kills);
  record_count("K1_runs_identical", runs);
}

TEST_F(TuneResume, StoppedBySigusr1ItGoesOnWithAnotherNumberOfRanks) {
  BackgroundProgram program(on_ranks(2, tune_arguments(train_, "stopped", kLong)), variables(),
                            folder.file("output.txt"));
  ASSERT_TRUE(wait_until([&] { return has_logged("stopped", 4); }, 60));
  program.signal(SIGUSR1);
  EXPECT_EQ(program.wait(), 75) << folder.get("output.txt");
  EXPECT_FALSE(std::filesystem::exists(folder.file("stopped/adapter")));
  // The checkpoint is of the last step that was logged.
  const auto checkpoints = train::list_checkpoints(folder.file("stopped/checkpoints"));
  ASSERT_FALSE(checkpoints.empty());
  train::verify_checkpoint(checkpoints.front());
  const int steps = lines_in(folder.get("stopped/metrics.jsonl"));
  EXPECT_EQ(checkpoints.front(), folder.file("stopped/checkpoints/step-" + std::to_string(steps)));
  EXPECT_LT(steps, 60);

  ASSERT_EQ(run(4, tune_arguments(train_, "stopped", kLong)).code, 0);
  expect_same_run("whole", "stopped");
}

TEST_F(TuneResume, ACheckpointOnRequestIsNoEnd) {
  std::vector<std::string> rarely = kLong;
  rarely.back() = "tune.checkpoint_every=1000";
  BackgroundProgram program(on_ranks(2, tune_arguments(train_, "asked", rarely)), variables(),
                            folder.file("output.txt"));
  ASSERT_TRUE(wait_until([&] { return has_logged("asked", 2); }, 60));
  program.signal(SIGUSR2);
  EXPECT_TRUE(wait_until(
      [&] { return !train::list_checkpoints(folder.file("asked/checkpoints")).empty(); }, 30));
  EXPECT_EQ(program.wait(), 0) << folder.get("output.txt");
  expect_same_run("whole", "asked");
}

TEST_F(TuneResume, ANamedCheckpointIsGoneOnFrom) {
  std::filesystem::create_directories(folder.file("named"));
  const auto checkpoints = train::list_checkpoints(folder.file("whole/checkpoints"));
  const std::string second = checkpoints.at(1);
  std::filesystem::copy(folder.file("whole/metrics.jsonl"), folder.file("named/metrics.jsonl"));
  std::vector<std::string> more = kLong;
  more.insert(more.end(), {"--resume", second});
  const Outcome outcome = run(1, tune_arguments(train_, "named", more));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  expect_same_run("whole", "named");

  more.back() = folder.file("nowhere");
  EXPECT_EQ(run(1, tune_arguments(train_, "named", more)).code, 66);
}

}  // namespace
}  // namespace rallrec::testing
