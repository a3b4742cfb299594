// `rallrec tune` where the disk refuses, or a checkpoint was damaged.
#include <gtest/gtest.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tests/commands/tuning_fixture.h"
#include "train/checkpoint.h"

namespace rallrec::testing {
namespace {

const std::vector<std::string> kOften = {"--set", "tune.max_steps=12", "--set",
                                         "tune.checkpoint_every=2"};

class TuneFaults : public TuningFixture {
 protected:
  void SetUp() override {
    train_ = write_prompts("train.jsonl", 40, 1);
    const Outcome outcome = run(1, tune_arguments(train_, "whole", kOften));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }

  // Runs tune on one rank with calls on files under `path` going wrong (faulty_io.h).
  Outcome run_faulty(const std::string& output, const std::string& path, int first, int count,
                     int error) const {
    std::vector<std::string> with = variables();
    with.push_back("LD_PRELOAD=" RALLREC_FAULTY_IO);
    with.push_back("FAULTY_IO_PATH=" + path);
    with.push_back("FAULTY_IO_FIRST=" + std::to_string(first));
    with.push_back("FAULTY_IO_COUNT=" + std::to_string(count));
    with.push_back("FAULTY_IO_ERROR=" + std::to_string(error));
    return run_program(on_ranks(1, tune_arguments(train_, output, kOften)), with);
  }
  static int count_of(const std::string& text, const std::string& word) {
    int count = 0;
    for (std::size_t at = 0; (at = text.find(word, at)) != std::string::npos; ++at) {
      ++count;
    }
    return count;
  }

  std::string train_;
};

// K4 in the program.
TEST_F(TuneFaults, OneFailedCheckpointIsAWarning) {
  for (const int error : {ENOSPC, EIO, EROFS}) {
    const std::string name = "once" + std::to_string(error);
    // Within the second checkpoint of six.
    const Outcome outcome = run_faulty(name, "/checkpoints/.tmp-4", 5, 1, error);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(count_of(outcome.err, "step 4: no checkpoint"), 1) << outcome.err;
    EXPECT_EQ(count_of(outcome.err, "no checkpoint ("), 1) << outcome.err;
    expect_same_run("whole", name);
  }
}

TEST_F(TuneFaults, ADiskThatStaysFullEndsTheRunAtTheThirdAttempt) {
  // Everything after the first checkpoint, log lines included.
  const Outcome outcome = run_faulty("full", "/full/", 100, -1, ENOSPC);
  EXPECT_EQ(outcome.code, 74) << outcome.err;
  EXPECT_EQ(count_of(outcome.err, "training goes on"), 3) << outcome.err;  // a log line, twice
  EXPECT_NE(outcome.err.find("No space left on device"), std::string::npos) << outcome.err;
  const auto checkpoints = train::list_checkpoints(folder.file("full/checkpoints"));
  ASSERT_FALSE(checkpoints.empty());
  for (const std::string& path : checkpoints) {
    EXPECT_NO_THROW(train::verify_checkpoint(path));
  }
  // With room again it goes on as if nothing had been.
  const Outcome again = run(2, tune_arguments(train_, "full", kOften));
  EXPECT_EQ(again.code, 0) << again.err;
  expect_same_run("whole", "full");
}

TEST_F(TuneFaults, LogLinesThatFoundNoRoomAreWrittenLater) {
  const Outcome outcome = run_faulty("log", "/log/metrics.jsonl", 3, 4, ENOSPC);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("written later"), std::string::npos) << outcome.err;
  expect_same_run("whole", "log");
}

TEST_F(TuneFaults, ADamagedCheckpointGivesWayToTheOneBefore) {
  const auto whole = train::list_checkpoints(folder.file("whole/checkpoints"));
  ASSERT_EQ(whole.size(), 3U);
  std::filesystem::copy(folder.file("whole"), folder.file("damaged"),
                        std::filesystem::copy_options::recursive);
  std::filesystem::remove(folder.file("damaged/tune_state.json"));
  std::filesystem::remove_all(folder.file("damaged/adapter"));
  const std::string newest = "damaged/checkpoints/step-12/optimizer.safetensors";
  std::string bytes = folder.get(newest);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x10);
  folder.put(newest, bytes);
  const Outcome outcome = run(2, tune_arguments(train_, "damaged", kOften));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.err.find("optimizer.safetensors: is damaged"), std::string::npos)
      << outcome.err;
  EXPECT_NE(outcome.err.find("of which 10 are done"), std::string::npos) << outcome.err;
  expect_same_run("whole", "damaged");
}

}  // namespace
}  // namespace rallrec::testing
