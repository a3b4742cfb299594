// `rallrec run` under mpirun, killed again and again: the same files as from one unbroken run.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "tests/commands/background_program.h"
#include "tests/commands/run_fixture.h"
#include "tests/text/tokenizer_json.h"

namespace rallrec::testing {
namespace {

constexpr int kRanks = 2;
constexpr double kPatience = 60.0;  // seconds; only a hang takes so long

// When to kill: as soon as `files` of the stage have `lines` lines together, or one of them exists.
struct Moment {
  std::string stage;
  std::vector<std::string> files;
  int lines;
  // Whether the stage cannot have ended between the look at its files and the kill: much of it is
  // yet to come.
  bool inside;
};

// The whole lines of JSON Lines that hold something.
std::vector<std::string> records_in(const std::string& text) {
  std::vector<std::string> records;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line) && !stream.eof();) {
    if (!line.empty()) {
      records.push_back(line);
    }
  }
  return records;
}

const std::vector<Moment> kMoments = {
    {"describe", {"partial.rank0.jsonl", "partial.rank1.jsonl"}, 1, true},
    {"describe", {"partial.rank0.jsonl", "partial.rank1.jsonl"}, 4, true},
    {"light_gcn", {"started.key"}, 0, false},
    {"tune", {"metrics.jsonl"}, 2, true},
    {"tune", {"metrics.jsonl"}, 10, true},
    {"infer", {"started.key"}, 0, false},
};

class RunResume : public RunFixture {
 protected:
  bool reached(const std::string& run_dir, const Moment& moment) const {
    int lines = 0;
    bool exists = false;
    for (const std::string& file : moment.files) {
      const std::string name = run_dir + "/" + moment.stage + "/" + file;
      exists = exists || std::filesystem::exists(folder.file(name));
      lines += moment.lines > 0 ? static_cast<int>(records_in(folder.get(name)).size()) : 0;
    }
    return exists && lines >= moment.lines;
  }

  // One life of the run, which ends at `moment`.
  void run_until(const std::string& run_dir, const Moment& moment) const {
    const std::string output = moment.stage + std::to_string(moment.lines) + ".txt";
    BackgroundProgram program(on_ranks(kRanks, run_arguments(run_dir)), variables(),
                              folder.file(output));
    wait_until([&] { return reached(run_dir, moment) || !program.running(); }, kPatience);
    ASSERT_TRUE(program.running()) << moment.stage << " was not met:\n" << folder.get(output);
    EXPECT_EQ(program.kill_all(), 1 + kRanks) << "the kill met no living process";
    EXPECT_EQ(program.wait(), 128 + SIGKILL);
    EXPECT_TRUE(reached(run_dir, moment)) << moment.stage;
    EXPECT_FALSE(std::filesystem::exists(folder.file(run_dir + "/evaluate/manifest.json")));
    if (moment.inside) {
      EXPECT_FALSE(
          std::filesystem::exists(folder.file(run_dir + "/" + moment.stage + "/manifest.json")))
          << "the kill came after " << moment.stage;
    }
  }

  // What the next life has to go on from: finished stages, steps of tune, batches of describe.
  void look(const std::string& run_dir) {
    for (const auto& entry : std::filesystem::directory_iterator(folder.file(run_dir))) {
      const std::filesystem::path manifest = entry.path() / "manifest.json";
      if (std::filesystem::exists(manifest)) {
        const auto time = std::filesystem::last_write_time(manifest);
        EXPECT_EQ(finished_.emplace(manifest, time).first->second, time)
            << manifest << " was redone";
      }
    }
    const auto steps = records_in(folder.get(run_dir + "/tune/metrics.jsonl"));
    steps_ = steps.size() > steps_.size() ? steps : steps_;
    std::set<std::string> batches;
    for (const char* name : {"partial.rank0.jsonl", "partial.rank1.jsonl"}) {
      for (const std::string& record : records_in(folder.get(run_dir + "/describe/" + name))) {
        EXPECT_TRUE(batches.insert(record).second) << "written twice: " << record;
      }
    }
    if (!batches.empty()) {
      EXPECT_TRUE(std::includes(batches.begin(), batches.end(), batches_.begin(), batches_.end()));
      batches_ = batches;
    }
  }

  std::map<std::string, std::filesystem::file_time_type> finished_;
  std::vector<std::string> steps_;
  std::set<std::string> batches_;
};

TEST_F(RunResume, KilledInManyStagesItEndsWithTheSameFiles) {
  const Outcome whole = run(kRanks, run_arguments("whole"));
  ASSERT_EQ(whole.code, 0) << whole.err;
  for (const Moment& moment : kMoments) {
    ASSERT_NO_FATAL_FAILURE(run_until("killed", moment));
    look("killed");
  }
  const Outcome last = run(kRanks, run_arguments("killed"));
  ASSERT_EQ(last.code, 0) << last.err;

  for (const std::string file :
       {"ingest/interactions.h5", "describe/descriptions.jsonl", "embed/text_embeddings.h5",
        "light_gcn/graph_embeddings.h5", "align/aligned_embeddings.h5", "retrieve/neighbours.h5",
        "prompt/train.jsonl", "prompt/valid.jsonl", "prompt/test.jsonl", "prompt/zero_shot.jsonl",
        "tune/adapter/adapter_config.json", "tune/adapter/adapter_model.safetensors",
        "infer/scores.jsonl", "infer/zero_shot_scores.jsonl", "evaluate/metrics.json"}) {
    EXPECT_FALSE(folder.get("whole/" + file).empty()) << file;
    EXPECT_EQ(folder.get("whole/" + file), folder.get("killed/" + file)) << file;
  }
  EXPECT_EQ(log_of("whole/tune"), log_of("killed/tune"));
  // It went on where it was, though beginning anew would have given the same. Steps up to the last
  // checkpoint before the second kill in tune are those of then, times included.
  look("killed");
  EXPECT_EQ(finished_.size(), 10U);
  EXPECT_GE(batches_.size(), 4U);
  const auto steps = records_in(folder.get("killed/tune/metrics.jsonl"));
  ASSERT_GE(steps.size(), 9U);
  steps_.resize(9);
  EXPECT_EQ(std::vector<std::string>(steps.begin(), steps.begin() + 9), steps_);
  EXPECT_TRUE(leftovers("killed").empty()) << leftovers("killed").front();
}

TEST_F(RunResume, Sigusr1InAnyStageEndsItWithTheCodeForRequeueing) {
  const std::string output = folder.file("output.txt");
  BackgroundProgram program(on_ranks(kRanks, run_arguments("stopped")), variables(), output);
  ASSERT_TRUE(wait_until([&] { return reached("stopped", kMoments[0]); }, kPatience));
  program.signal(SIGUSR1);
  EXPECT_EQ(program.wait(), 75) << folder.get("output.txt");
  const std::string said = folder.get("output.txt");
  EXPECT_NE(said.find("start the same command again"), std::string::npos) << said;
  EXPECT_EQ(said.find("start the same command again"), said.rfind("start the same command again"));
  EXPECT_TRUE(std::filesystem::exists(folder.file("stopped/ingest/manifest.json")));
  EXPECT_FALSE(std::filesystem::exists(folder.file("stopped/describe/manifest.json")));
  const Outcome last = run(kRanks, run_arguments("stopped", {"--stages", "ingest,describe"}));
  EXPECT_EQ(last.code, 0) << last.err;
}

// So that the next start may be on a host that cannot tell whether this process is alive.
TEST_F(RunResume, SigtermLeavesNoLockBehind) {
  BackgroundProgram program(on_ranks(1, run_arguments("ended")), variables(),
                            folder.file("output.txt"));
  const std::string lock = folder.file("ended/run.lock");
  ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(lock); }, kPatience));
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 128 + SIGTERM) << folder.get("output.txt");
  EXPECT_FALSE(std::filesystem::exists(lock));
}

TEST_F(RunFixture, ATokenizerThatTuneCannotUseIsRefusedBeforeTheFirstStage) {
  const Outcome outcome = run(2, run_arguments("refused", {"--set", "tune.shown_answers=true"}));
  EXPECT_EQ(outcome.code, 64);
  EXPECT_NE(outcome.err.find("tune.shown_answers"), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder.file("refused")));
}

TEST_F(RunFixture, ATokenizerWithoutLabelWordsIsRefusedBeforeTheFirstStage) {
  nlohmann::json tokenizer = text::tiny_tokenizer_json();
  tokenizer["model"]["merges"] = nlohmann::json::array();
  folder.put("model/tokenizer.json", tokenizer.dump());
  const Outcome outcome = run(2, run_arguments("refused"));
  EXPECT_EQ(outcome.code, 65);
  EXPECT_NE(outcome.err.find("here \"Yes\" is 3 tokens"), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder.file("refused")));
}

}  // namespace
}  // namespace rallrec::testing
