#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/commands/program.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

constexpr const char* kScores =
    "{\"label\":1,\"score\":0.75,\"user\":\"a\",\"score_squashed\":0.6}\n"
    "{\"label\":0,\"score\":0.75,\"user\":\"b\",\"score_squashed\":0.6}\n"
    "{\"output\":\"Yes.\",\"score\":0.25,\"user\":\"c\",\"score_squashed\":0.4}\n"
    "{\"label\":0,\"score\":0.125,\"user\":\"b\",\"score_squashed\":0.3}\n";

Outcome under_mpirun(int ranks, const std::string& path) {
  return run_program({RALLREC_MPIEXEC, "-n", std::to_string(ranks), "--oversubscribe",
                      RALLREC_BINARY, "evaluate", "--scores", path});
}

TEST(EvaluateCommand, PrintsOneObject) {
  const TemporaryFolder folder;
  const std::string path = folder.put("scores.jsonl", kScores);
  const Outcome outcome = rallrec({"evaluate", "--scores", path});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(lines_in(outcome.out), 1);
  const nlohmann::json found = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(found["n"], 4);
  EXPECT_EQ(found["positive_rate"], 0.5);
  // Pairs: (0.75, 0.75) a half, (0.75, 0.125) one, (0.25, 0.75) none, (0.25, 0.125) one.
  EXPECT_EQ(found["auc"], 0.625);
  EXPECT_EQ(found["accuracy"], 0.5);
  EXPECT_NEAR(found["log_loss"].get<double>(), -std::log(0.75 * 0.25 * 0.25 * 0.875) / 4.0, 1e-12);
  EXPECT_NEAR(found["log_loss_squashed"].get<double>(), -std::log(0.6 * 0.4 * 0.4 * 0.7) / 4.0,
              1e-12);
  EXPECT_EQ(found["intervals"]["auc"].size(), 2U);
}

TEST(EvaluateCommand, SaysWhatTheIntervalsResample) {
  const TemporaryFolder folder;
  const auto resampled = [&](const std::string& first, const std::string& second) {
    const std::string path =
        folder.put("scores.jsonl", "{\"label\": 1, \"score\": 0.5" + first +
                                       "}\n{\"label\": 0, \"score\": 0.5" + second + "}\n");
    return nlohmann::json::parse(rallrec({"evaluate", "--scores", path}).out).at("resampled");
  };
  const std::string user = ", \"user\": \"u\"";
  EXPECT_EQ(resampled("", ""), "samples");
  EXPECT_EQ(resampled(user, user), "users");
  EXPECT_EQ(resampled(user, ""), "users, and samples without one");
}

TEST(EvaluateCommand, WritesToAFileWhereOneIsNamed) {
  const TemporaryFolder folder;
  const std::string path = folder.put("scores.jsonl", kScores);
  const Outcome printed = rallrec({"evaluate", "--scores", path});
  const Outcome written =
      rallrec({"evaluate", "--scores", path, "--output", folder.file("metrics.json")});
  EXPECT_EQ(written.code, 0) << written.err;
  EXPECT_EQ(written.out, "");
  EXPECT_EQ(folder.get("metrics.json"), printed.out);
}

TEST(EvaluateCommand, PrintsTheSameUnderMpirun) {
  const TemporaryFolder folder;
  const std::string path = folder.put("scores.jsonl", kScores);
  const std::string alone = rallrec({"evaluate", "--scores", path}).out;
  for (const int ranks : {2, 3}) {
    const Outcome outcome = under_mpirun(ranks, path);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.out, alone);
  }
}

TEST(EvaluateCommand, NamesTheBadLineAlsoUnderMpirun) {
  const TemporaryFolder folder;
  const std::string path =
      folder.put("scores.jsonl", std::string(kScores) + "{\"label\":1,\"score\":1.5}\n");
  const Outcome alone = rallrec({"evaluate", "--scores", path});
  EXPECT_EQ(alone.code, 65);
  EXPECT_EQ(alone.out, "");
  EXPECT_THAT(alone.err, HasSubstr(path + ":5:"));
  EXPECT_LE(lines_in(alone.err), 5);
  const Outcome outcome = under_mpirun(2, path);
  EXPECT_EQ(outcome.code, 65) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr(path + ":5:"));
}

TEST(EvaluateCommand, NamesTheFileWithOneClassAndTheMissingFile) {
  const TemporaryFolder folder;
  const std::string path = folder.put("scores.jsonl", "{\"label\":1,\"score\":0.5}\n");
  const Outcome one_class = rallrec({"evaluate", "--scores", path});
  EXPECT_EQ(one_class.code, 65);
  EXPECT_THAT(one_class.err, HasSubstr(path + ": all 1 labels are 1"));
  const Outcome missing = rallrec({"evaluate", "--scores", folder.file("none.jsonl")});
  EXPECT_EQ(missing.code, 66);
  EXPECT_THAT(missing.err, HasSubstr("none.jsonl"));
}

std::string scored_row(const std::string& user, int item, int label, double score) {
  return "{\"user\":\"" + user + "\",\"item\":" + std::to_string(item) +
         ",\"timestamp\":5,\"label\":" + std::to_string(label) +
         ",\"score\":" + std::to_string(score) + "}\n";
}

TEST(EvaluateCommand, ComparesTwoFilesOnTheRowsOfBoth) {
  const TemporaryFolder folder;
  const std::string ours =
      folder.put("ours.jsonl", scored_row("a", 1, 1, 0.75) + scored_row("b", 1, 0, 0.25) +
                                   scored_row("a", 2, 1, 0.875) + scored_row("b", 2, 0, 0.125) +
                                   scored_row("c", 1, 1, 0.0));
  const std::string theirs =
      folder.put("theirs.jsonl", scored_row("b", 2, 0, 0.75) + scored_row("a", 2, 1, 0.25) +
                                     scored_row("b", 1, 0, 0.125) + scored_row("a", 1, 1, 0.5));
  const Outcome outcome = rallrec({"evaluate", "--scores", ours, "--against", theirs});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json found = nlohmann::json::parse(outcome.out);
  EXPECT_EQ(found["scores"]["n"], 4);
  EXPECT_EQ(found["scores"]["auc"], 1.0);
  EXPECT_EQ(found["against"]["auc"], 0.5);  // (.5 > .125), (.25 > .125); not above .75
  EXPECT_EQ(found["difference"]["auc"], 0.5);
  EXPECT_EQ(found["difference"]["accuracy"], 0.75);
  EXPECT_EQ(found["difference"]["delong"]["difference"], 0.5);
  EXPECT_TRUE(found["difference"]["delong"]["p"].is_number());
  EXPECT_THAT(outcome.err, HasSubstr("4 of 5 lines of " + ours + " and of 4 of " + theirs));
  const Outcome reversed = rallrec({"evaluate", "--scores", theirs, "--against", ours});
  EXPECT_EQ(nlohmann::json::parse(reversed.out)["difference"]["auc"], -0.5);
}

TEST(EvaluateCommand, FilesWithoutRowsAreComparedLineByLine) {
  const TemporaryFolder folder;
  const std::string path = folder.put("scores.jsonl", kScores);
  const Outcome same = rallrec({"evaluate", "--scores", path, "--against", path});
  ASSERT_EQ(same.code, 0) << same.err;
  EXPECT_EQ(nlohmann::json::parse(same.out)["difference"]["auc"], 0.0);
  const std::string other =
      folder.put("other.jsonl", std::string(kScores) + "{\"label\":1,\"score\":0.5}\n");
  const Outcome outcome = rallrec({"evaluate", "--scores", path, "--against", other});
  EXPECT_EQ(outcome.code, 65);
  EXPECT_THAT(outcome.err, HasSubstr("other.jsonl: does not score the samples of"));
}

TEST(EvaluateCommand, SaysWhatIsMissing) {
  const Outcome nothing = rallrec({"evaluate"});
  EXPECT_EQ(nothing.code, 64);
  EXPECT_THAT(nothing.err, HasSubstr("--config"));
  const Outcome no_scores = rallrec({"evaluate", "--output", "x.json"});
  EXPECT_EQ(no_scores.code, 64);
  EXPECT_THAT(no_scores.err, EndsWith("--scores is required with --output\n"));
}

}  // namespace
}  // namespace rallrec::testing
