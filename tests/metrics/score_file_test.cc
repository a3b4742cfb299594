#include "metrics/score_file.h"

#include <gtest/gtest.h>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "metrics/evaluation_json.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::metrics {
namespace {

using testing::expect_error;
using testing::TemporaryFolder;

ScoredSamples read(const std::string& path) {
  distributed::LocalCommunicator local;
  return read_scored_samples(local, path);
}

void expect_bad(const std::string& bytes, const std::string& place, const std::string& text) {
  const TemporaryFolder folder;
  const std::string path = folder.put("scores.jsonl", bytes);
  expect_error(ExitCode::kBadData, path + place, [&] { read(path); });
  expect_error(ExitCode::kBadData, text, [&] { read(path); });
}

const std::string kGood = "{\"label\":1,\"score\":0.75}\n{\"label\":0,\"score\":0.5}\n";

TEST(ScoreFile, ReadsLabelsAnswersUsersAndSquashedScores) {
  const TemporaryFolder folder;
  const ScoredSamples samples = read(folder.put(
      "scores.jsonl",
      "{\"label\":1,\"score\":1,\"user\":\"b\",\"score_squashed\":0.7}\r\n"
      "\n"
      "{\"output\":\"No.\",\"score\":0.25,\"user\":7,\"input\":\"text\",\"score_squashed\":0.3}\n"
      "{\"label\":null,\"output\":\"Yes.\",\"score\":1e-3,\"user\":\"b\",\"score_squashed\":0.5}\n"
      "{\"label\":0,\"output\":\"Yes.\",\"score\":0.0,\"user\":null,\"score_squashed\":0.4}"));
  EXPECT_EQ(samples.labels, (std::vector<std::uint8_t>{1, 0, 1, 0}));
  EXPECT_EQ(samples.scores, (std::vector<double>{1.0, 0.25, 1e-3, 0.0}));
  EXPECT_EQ(samples.squashed, (std::vector<double>{0.7, 0.3, 0.5, 0.4}));
  EXPECT_EQ(samples.user_names, (std::vector<std::string>{"b", "7"}));
  EXPECT_EQ(samples.users, (std::vector<std::uint32_t>{0, 1, 0, ScoredSamples::kNoUser}));
}

TEST(ScoreFile, ReadsAnArray) {
  const TemporaryFolder folder;
  const std::string path =
      folder.put("scores.json", "[{\"label\":1,\"score\":0.5},\n {\"label\":0,\"score\":0.25}]");
  EXPECT_EQ(read(path).scores, (std::vector<double>{0.5, 0.25}));
}

TEST(ScoreFile, DropsSquashedScoresThatNotAllHave) {
  const TemporaryFolder folder;
  const std::string path =
      folder.put("scores.jsonl", kGood + "{\"label\":1,\"score\":0.5,\"score_squashed\":0.5}\n");
  EXPECT_EQ(read(path).size(), 3U);
  EXPECT_TRUE(read(path).squashed.empty());
}

TEST(ScoreFile, NamesTheLineOfBadData) {
  expect_bad(kGood + "{\"label\":2,\"score\":0.5}\n", ":3:", "'label': expected 0 or 1");
  expect_bad(kGood + "{\"label\":0.5,\"score\":0.5}\n", ":3:", "expected 0 or 1");
  expect_bad(kGood + "{\"label\":\"1\",\"score\":0.5}\n", ":3:", "'label'");
  expect_bad(kGood + "\n{\"label\":1,\"score\":1.5}\n", ":4:", "between 0 and 1");
  expect_bad("{\"label\":1,\"score\":-0.1}\n" + kGood, ":1:", "between 0 and 1");
  expect_bad(kGood + "{\"label\":1,\"score\":NaN}\n", ":3:", "");
  expect_bad(kGood + "{\"label\":1,\"score\":1e999}\n", ":3:", "");
  expect_bad(kGood + "{\"label\":1,\"score\":null}\n", ":3:", "'score'");
  expect_bad(kGood + "{\"label\":1}\n", ":3:", "'score'");
  expect_bad(kGood + "{\"score\":0.5}\n", ":3:", "'label'");
  expect_bad(kGood + "{\"output\":\"Maybe\",\"score\":0.5}\n", ":3:", "'output'");
  expect_bad(kGood + "{\"label\":1,\"score\":0.5,\"score_squashed\":7}\n", ":3:", "score_squashed");
  expect_bad(kGood + "{\"label\":1,\"score\":0.5,\"user\":[1]}\n", ":3:", "'user'");
  expect_bad(kGood + "not json\n", ":3:", "");
  expect_bad(kGood + "{\"label\":1,\"score\":0.5", ":3:", "");
}

TEST(ScoreFile, NamesTheFileWhereItCannotBeEvaluated) {
  expect_bad("", ": ", "no scored samples");
  expect_bad("\n \n", ": ", "no scored samples");
  expect_bad("{\"label\":1,\"score\":0.5}\n", ": ", "all 1 labels are 1");
  expect_bad("{\"label\":0,\"score\":0.5}\n{\"label\":0,\"score\":0.2}\n", ": ",
             "all 2 labels are 0");
  expect_error(ExitCode::kMissingInput, "/nowhere.jsonl", [] { read("/nowhere.jsonl"); });
}

std::string many_lines(int lines) {
  std::string text;
  for (int i = 0; i < lines; ++i) {
    text += "{\"label\":" + std::to_string(i * 7 % 3 == 0) + ",\"score\":0." +
            std::to_string(i * 37 % 91) + ",\"user\":\"u" + std::to_string(i * 5 % 11) + "\"}\n";
  }
  return text;
}

TEST(ScoreFile, GivesTheSameOnAnyNumberOfRanks) {
  const TemporaryFolder folder;
  const std::string path = folder.put("scores.jsonl", many_lines(53));
  distributed::LocalCommunicator local;
  const std::string expected = evaluation_json(evaluate_samples(local, read(path), {50, 3})).text();
  for (const int ranks : {2, 3, 4}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& group) {
      const ScoredSamples samples = read_scored_samples(group, path);
      EXPECT_EQ(evaluation_json(evaluate_samples(group, samples, {50, 3})).text(), expected);
    });
  }
}

TEST(ScoreFile, ReportsTheFirstBadLineOnAllRanks) {
  const TemporaryFolder folder;
  const std::string bad = "{\"label\":5,\"score\":0.5}\n";
  const std::string path = folder.put("scores.jsonl", many_lines(20) + bad + many_lines(18) + bad);
  for (const int ranks : {1, 2, 4}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& group) {
      expect_error(ExitCode::kBadData, path + ":21:", [&] { read_scored_samples(group, path); });
    });
  }
}

TEST(EvaluationJson, HasNullsWhereNothingCanBeComputed) {
  Evaluation evaluation;
  evaluation.n = 2;
  evaluation.positive_rate = 0.5;
  evaluation.log_loss = 0.5;
  evaluation.accuracy = 0.125;
  EXPECT_EQ(evaluation_json(evaluation).text(),
            R"({"n": 2, "positive_rate": 0.5, "auc": null, "log_loss": 0.5, "accuracy": 0.125, )"
            R"("intervals": {"auc": null, "log_loss": null, "accuracy": null}, )"
            R"("resampled": "samples"})");
  evaluation.resampled = "users";
  evaluation.auc = 0.75;
  evaluation.auc_squashed = 0.5;
  evaluation.log_loss_squashed = 0.25;
  evaluation.intervals.auc = Interval{0.5, 0.875};
  EXPECT_EQ(
      evaluation_json(evaluation).text(),
      R"({"n": 2, "positive_rate": 0.5, "auc": 0.75, "log_loss": 0.5, "accuracy": 0.125, )"
      R"("auc_squashed": 0.5, "log_loss_squashed": 0.25, "intervals": {"auc": [0.5, 0.875], )"
      R"("log_loss": null, "accuracy": null, "auc_squashed": null, "log_loss_squashed": null}, )"
      R"("resampled": "users"})");
}

}  // namespace
}  // namespace rallrec::metrics
