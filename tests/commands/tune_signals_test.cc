// `rallrec tune` under mpirun that is asked to end: K7 (SIGUSR1) and K8 (SIGTERM).
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <filesystem>

#include "tests/commands/background_program.h"
#include "tests/commands/tuning_fixture.h"
#include "tests/support/soak.h"
#include "train/checkpoint.h"

namespace rallrec::testing {
namespace {

const std::vector<std::string> kLong = {"--set", "tune.max_steps=80", "--set",
                                        "tune.checkpoint_every=5"};

class TuneSignals : public TuningFixture {
 protected:
  void SetUp() override {
    train_ = write_prompts("train.jsonl", 40, 1);
    const Outcome outcome = run(1, tune_arguments(train_, "whole", kLong));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }

  int steps_of(const std::string& output) const {
    return lines_in(folder.get(output + "/metrics.jsonl"));
  }
  // Starts a run on two ranks, or starts it again; sends it the signal after some more steps.
  // Returns its exit code; `seconds` is the time from the signal to its end, -1 where it had ended.
  int interrupt(const std::string& output, int signal, int steps, double& seconds) {
    BackgroundProgram program(on_ranks(2, tune_arguments(train_, output, kLong)), variables(),
                              folder.file("output.txt"));
    const int wanted = std::min(79, newest_step(output) + steps);
    wait_until([&] { return steps_of(output) >= wanted || !program.running(); }, 60);
    const auto start = std::chrono::steady_clock::now();
    seconds = -1.0;
    if (program.running()) {
      program.signal(signal);
    }
    const int code = program.wait();
    if (code != 0) {
      seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    return code;
  }
  // Of the checkpoints, which must all verify but for one that the signal cut off.
  int newest_step(const std::string& output) const {
    const std::string folder_name = folder.file(output + "/checkpoints");
    if (!std::filesystem::exists(folder_name)) {
      return 0;
    }
    const std::string newest = train::newest_checkpoint(folder_name);
    return newest.empty() ? 0 : std::atoi(newest.substr(newest.rfind('-') + 1).c_str());
  }

  std::string train_;
};

TEST_F(TuneSignals, Sigusr1CheckpointsAndEndsWith75InSeconds) {
  const int wanted = soak_count("K7_signals", 3, 50);
  int signals = 0;
  double longest = 0.0;
  for (int run = 0; signals < wanted; ++run) {
    const std::string name = "stopped" + std::to_string(run);
    for (bool ended = false; !ended;) {
      double seconds = -1.0;
      // After the last one it may come to its end.
      const int steps = signals < wanted ? 3 + 7 * (signals % 4) : 1000;
      const int code = interrupt(name, SIGUSR1, steps, seconds);
      ended = code == 0;
      if (!ended) {
        ASSERT_EQ(code, 75) << folder.get("output.txt");
        EXPECT_EQ(newest_step(name), steps_of(name));  // of the last step that was made
        EXPECT_LE(seconds, 5.0);
        longest = std::max(longest, seconds);
        ++signals;
        record_event(R"({"test": "K7", "seconds": )" + std::to_string(seconds) + "}");
      }
    }
    expect_same_run("whole", name);
  }
  record_count("K7_signals", signals);
  record_count("K7_longest_milliseconds", static_cast<int>(longest * 1e3));
}

TEST_F(TuneSignals, SigtermLeavesTheLastCheckpointWhole) {
  const int wanted = soak_count("K8_signals", 3, 50);
  int signals = 0;
  for (int run = 0; signals < wanted; ++run) {
    const std::string name = "ended" + std::to_string(run);
    for (bool ended = false; !ended;) {
      const int before = newest_step(name);
      double seconds = -1.0;
      const int steps = signals < wanted ? 6 + 5 * (signals % 4) : 1000;
      ended = interrupt(name, SIGTERM, steps, seconds) == 0;
      if (!ended) {
        EXPECT_GE(newest_step(name), before);
        EXPECT_GT(newest_step(name), 0);
        ++signals;
        record_event(R"({"test": "K8", "seconds": )" + std::to_string(seconds) + "}");
      }
    }
    expect_same_run("whole", name);
  }
  record_count("K8_signals", signals);
}

}  // namespace
}  // namespace rallrec::testing
