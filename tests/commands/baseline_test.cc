// `rallrec baseline` as a process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::testing {
namespace {

using ::testing::HasSubstr;

class BaselineCommand : public ::testing::Test {
 protected:
  BaselineCommand() {
    std::string rows = kHeader;
    for (int row = 0; row < 300; ++row) {
      const int user = row * 7 % 20;
      const int item = row * 11 % 15;
      rows += "u" + std::to_string(user) + "\ti" + std::to_string(item) +
              (user % 2 == item % 2 ? "\t1\n" : "\t0\n");
    }
    for (const char* name : {"train.inter", "valid.inter", "test.inter"}) {
      folder.put(name, rows);
    }
    folder.put("my.user", "user_id:token\tage:float\nu1\t30\nu2\t40\n");
    folder.put("my.item", "item_id:token\tclass:token_seq\ni1\tDrama Crime\n");
  }

  std::vector<std::string> arguments(const std::string& model, const std::string& output) const {
    return {"baseline",
            "--model",
            model,
            "--train",
            folder.file("train.inter"),
            "--valid",
            folder.file("valid.inter"),
            "--test",
            folder.file("test.inter"),
            "--users",
            folder.file("my.user"),
            "--items",
            folder.file("my.item"),
            "--output",
            folder.file(output),
            "--set",
            "baseline.epochs=2",
            "--set",
            "baseline.batch_size=64",
            "--set",
            "baseline.block_size=16"};
  }
  static Outcome under_mpirun(int ranks, const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {RALLREC_MPIEXEC, "-n", std::to_string(ranks), "--oversubscribe",
                                    RALLREC_BINARY};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_program(all, {"OMP_NUM_THREADS=1"});
  }
  // The command fails with this code, says `text` in its last line of at most five.
  void expect_refused(const std::vector<std::string>& arguments, int code,
                      const std::string& text) const {
    const Outcome outcome = rallrec(arguments);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_LE(lines_in(outcome.err), 5) << outcome.err;
    const std::size_t last = outcome.err.rfind('\n', outcome.err.size() - 2);
    EXPECT_THAT(outcome.err.substr(last + 1), HasSubstr(text));
    EXPECT_FALSE(std::filesystem::exists(folder.file("out")));
  }

  static constexpr const char* kHeader = "user_id:token\titem_id:token\tlabel:float\n";
  TemporaryFolder folder;
};

TEST_F(BaselineCommand, GivesTheSameBytesUnderMpirun) {
  for (const char* model : {"deep_fm", "x_deep_fm", "dcn", "auto_int"}) {
    const Outcome alone = rallrec(arguments(model, "alone"));
    ASSERT_EQ(alone.code, 0) << alone.err;
    EXPECT_EQ(lines_in(folder.get("alone/scores.jsonl")), 300);
    const Outcome both = under_mpirun(2, arguments(model, "both"));
    ASSERT_EQ(both.code, 0) << both.err;
    EXPECT_EQ(folder.get("both/scores.jsonl"), folder.get("alone/scores.jsonl")) << model;
    EXPECT_THAT(both.err, HasSubstr("[rank 0/2]"));
  }
}

TEST_F(BaselineCommand, EvaluateReadsItsScores) {
  ASSERT_EQ(rallrec(arguments("dcn", "alone")).code, 0);
  const Outcome outcome = rallrec({"evaluate", "--scores", folder.file("alone/scores.jsonl")});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto metrics = nlohmann::json::parse(folder.get("alone/metrics.json"));
  const auto evaluated = nlohmann::json::parse(outcome.out);
  for (const char* key : {"n", "auc", "log_loss", "accuracy", "positive_rate"}) {
    EXPECT_EQ(evaluated[key], metrics[key]) << key;
  }
  EXPECT_EQ(evaluated["resampled"], "users");
}

TEST_F(BaselineCommand, NamesWhatIsWrong) {
  expect_refused(arguments("deepfm", "out"), 64, "did you mean 'deep_fm'?");
  expect_refused({"baseline"}, 64, "--model is required");
  expect_refused({"baseline", "--model", "dcn"}, 64, "give --config FILE");
  expect_refused({"baseline", "--model", "dcn", "--train", folder.file("train.inter")}, 64,
                 "--valid is required");
  auto cuda = arguments("dcn", "out");
  cuda.insert(cuda.end(), {"--device", "cuda"});
  expect_refused(cuda, 64, "--device cpu");
  auto odd = arguments("auto_int", "out");
  odd.insert(odd.end(), {"--set", "baseline.attention_heads=3"});
  expect_refused(odd, 64, "'baseline.attention_size' must be a multiple");

  folder.put("valid.inter", std::string(kHeader) + "u1\ti1\t0\nu1\ti2\tmaybe\n");
  expect_refused(arguments("dcn", "out"), 65, "valid.inter:3:7: label");
  folder.put("valid.inter", "user_id:token\titem_id:token\nu1\ti1\n");
  expect_refused(arguments("dcn", "out"), 65, "valid.inter:1:1: there is no column label");
  folder.put("valid.inter", kHeader);
  expect_refused(arguments("dcn", "out"), 65, "valid.inter: holds no sample");
  folder.put("valid.inter", std::string(kHeader) + "u1\ti1\t1\n");
  expect_refused(arguments("dcn", "out"), 65, "valid.inter: all 1 labels of valid are 1");
  std::filesystem::remove(folder.file("valid.inter"));
  expect_refused(arguments("dcn", "out"), 66, "valid.inter");
}

TEST_F(BaselineCommand, ALossThatIsNotFiniteEndsWith76) {
  auto wild = arguments("dcn", "out");
  wild.insert(wild.end(), {"--set", "baseline.learning_rate=1e30"});
  expect_refused(wild, 76, "is not finite");
}

}  // namespace
}  // namespace rallrec::testing
