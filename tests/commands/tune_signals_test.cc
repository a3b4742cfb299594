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
  // Starts a run on two ranks, or starts it again, and sends it the signal when it has written a
  // checkpoint of its own, where that is wanted and it is not near its end. Returns its exit code;
  // `seconds` is the time from the signal to its end.
  int interrupt(const std::string& output, int signal, bool wanted, double& seconds) {
    const int before = newest_step(output);
    BackgroundProgram program(on_ranks(2, tune_arguments(train_, output, kLong)), variables(),
                              folder.file("output.txt"));
    if (wanted && before < 60) {
      wait_until([&] { return !program.running() || named_step(output) > before; }, 60);
    } else {
      program.wait();
    }
    const auto start = std::chrono::steady_clock::now();
    if (program.running()) {
      program.signal(signal);
    }
    const int code = program.wait();
    seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return code;
  }
  // Of the newest checkpoint, verified or not.
  int named_step(const std::string& output) const {
    const std::string folder_name = folder.file(output + "/checkpoints");
    if (!std::filesystem::exists(folder_name)) {
      return 0;
    }
    const auto all = train::list_checkpoints(folder_name);
    return all.empty() ? 0 : std::atoi(all.front().substr(all.front().rfind('-') + 1).c_str());
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
      double seconds = 0.0;
      const int code = interrupt(name, SIGUSR1, signals < wanted, seconds);
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
      double seconds = 0.0;
      ended = interrupt(name, SIGTERM, signals < wanted, seconds) == 0;
      if (!ended) {
        ASSERT_GT(newest_step(name), before);  // so it comes to an end
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
