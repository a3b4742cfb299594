#include "pipeline/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "distributed/thread_communicator.h"
#include "metrics/auc.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using testing::TemporaryFolder;

struct Made {
  std::string text;
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
};

Made make_scores(std::size_t lines, std::size_t stride) {
  Made made;
  for (std::size_t i = 0; i < lines; ++i) {
    made.scores.push_back(static_cast<double>(i * stride % 97) / 128.0);
    made.labels.push_back(i * 11 % 5 < 2 ? 1 : 0);
    made.text += "{\"label\":" + std::to_string(made.labels.back()) +
                 ",\"score\":" + std::to_string(made.scores.back()) +
                 ",\"score_squashed\":0.5,\"user\":" + std::to_string(i % 50) + "}\n";
  }
  return made;
}

double auc_of_first(const Made& made, std::size_t count) {
  const auto end = static_cast<std::ptrdiff_t>(count);
  return *metrics::AucRanking({made.scores.begin(), made.scores.begin() + end},
                              {made.labels.begin(), made.labels.begin() + end})
              .auc();
}

std::string run_stage(const TemporaryFolder& folder, int ranks, bool zero_shot) {
  config::Options options;
  options.evaluate.bootstrap_samples = 5;
  options.infer.zero_shot = zero_shot;
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& group) {
    StageContext context{options, group, folder.path()};
    run_evaluate(context);
  });
  return folder.get("evaluate/metrics.json");
}

TEST(EvaluateStage, WritesBothFilesInFullAndOnTheFirstTenThousand) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("infer"));
  std::filesystem::create_directory(folder.file("evaluate"));
  const Made tuned = make_scores(10007, 31);
  const Made zero_shot = make_scores(20, 13);
  folder.put("infer/scores.jsonl", tuned.text);
  folder.put("infer/zero_shot_scores.jsonl", zero_shot.text);

  const std::string text = run_stage(folder, 1, true);
  const nlohmann::json found = nlohmann::json::parse(text);
  EXPECT_EQ(found["tuned"]["n"], 10007);
  EXPECT_EQ(found["tuned"]["first_10000"]["n"], 10000);
  EXPECT_NEAR(found["tuned"]["auc"].get<double>(), auc_of_first(tuned, 10007), 1e-12);
  EXPECT_NEAR(found["tuned"]["first_10000"]["auc"].get<double>(), auc_of_first(tuned, 10000),
              1e-12);
  EXPECT_NE(found["tuned"]["auc"], found["tuned"]["first_10000"]["auc"]);
  EXPECT_NEAR(found["tuned"]["log_loss_squashed"].get<double>(), std::log(2.0), 1e-12);
  EXPECT_EQ(found["zero_shot"]["n"], 20);
  EXPECT_NEAR(found["zero_shot"]["auc"].get<double>(), auc_of_first(zero_shot, 20), 1e-12);
  EXPECT_EQ(found["zero_shot"]["intervals"]["auc"].size(), 2U);

  EXPECT_EQ(run_stage(folder, 2, true), text);
  EXPECT_EQ(run_stage(folder, 3, true), text);
}

TEST(EvaluateStage, LeavesZeroShotOutWhereItWasNotAskedForOrIsMissing) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("infer"));
  std::filesystem::create_directory(folder.file("evaluate"));
  folder.put("infer/scores.jsonl", make_scores(20, 31).text);
  EXPECT_FALSE(nlohmann::json::parse(run_stage(folder, 1, true)).contains("zero_shot"));
  folder.put("infer/zero_shot_scores.jsonl", make_scores(20, 13).text);
  EXPECT_FALSE(nlohmann::json::parse(run_stage(folder, 1, false)).contains("zero_shot"));
}

TEST(EvaluateStage, ComparesTheTwoWhereTheyScoreTheSamePrompts) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("infer"));
  std::filesystem::create_directory(folder.file("evaluate"));
  const Made tuned = make_scores(200, 31);
  const Made zero_shot = make_scores(200, 13);
  folder.put("infer/scores.jsonl", tuned.text);
  folder.put("infer/zero_shot_scores.jsonl", make_scores(199, 13).text);
  EXPECT_FALSE(nlohmann::json::parse(run_stage(folder, 1, true)).contains("tuned_minus_zero_shot"));
  folder.put("infer/zero_shot_scores.jsonl", zero_shot.text);
  const nlohmann::json found = nlohmann::json::parse(run_stage(folder, 2, true));
  const nlohmann::json& difference = found["tuned_minus_zero_shot"];
  EXPECT_EQ(difference["n"], 200);
  EXPECT_NEAR(difference["auc"].get<double>(),
              auc_of_first(tuned, 200) - auc_of_first(zero_shot, 200), 1e-12);
  EXPECT_EQ(difference["intervals"]["accuracy"].size(), 2U);
}

TEST(EvaluateStage, NamesWhatMadeTheScores) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.file("baseline/dcn"));
  std::filesystem::create_directory(folder.file("infer"));
  std::filesystem::create_directory(folder.file("evaluate"));
  const Made by_baseline = make_scores(300, 31);
  const Made by_model = make_scores(200, 13);
  folder.put("baseline/dcn/scores.jsonl", by_baseline.text);
  folder.put("infer/scores.jsonl", by_model.text);
  folder.put("infer/zero_shot_scores.jsonl", by_model.text);
  config::Options options;
  options.evaluate.bootstrap_samples = 5;
  options.baseline.model = "dcn";
  const auto metrics = [&] {
    distributed::run_thread_ranks(1, [&](distributed::Communicator& group) {
      StageContext context{options, group, folder.path()};
      run_evaluate(context);
    });
    return nlohmann::json::parse(folder.get("evaluate/metrics.json"));
  };
  options.infer.adapter = "none";
  const nlohmann::json untuned = metrics();
  EXPECT_EQ(untuned.size(), 1U);
  EXPECT_EQ(untuned["zero_shot"]["n"], 200);
  options.stages = {"ingest", "baseline", "evaluate"};
  const nlohmann::json baseline = metrics();
  EXPECT_EQ(baseline.size(), 1U);
  EXPECT_NEAR(baseline["baseline"]["auc"].get<double>(), auc_of_first(by_baseline, 300), 1e-12);
}

// The squashed value of (.9, .1) is .69: a loss of .3711 in place of .1054.
TEST(EvaluateStage, DeviationsReportTheSquashedScoreAndTheFirstTenThousand) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("infer"));
  std::filesystem::create_directory(folder.file("evaluate"));
  std::string text;
  for (int i = 0; i < 10010; ++i) {
    text += i % 2 == 0 ? "{\"label\":1,\"score\":0.9,\"score_squashed\":0.6899744811276125}\n"
                       : "{\"label\":0,\"score\":0.1,\"score_squashed\":0.3100255188723875}\n";
  }
  folder.put("infer/scores.jsonl", text);
  config::Options options;
  options.evaluate.bootstrap_samples = 2;
  const auto metrics = [&] {
    distributed::run_thread_ranks(2, [&](distributed::Communicator& group) {
      StageContext context{options, group, folder.path()};
      run_evaluate(context);
    });
    return nlohmann::json::parse(folder.get("evaluate/metrics.json"))["tuned"];
  };
  EXPECT_EQ(metrics()["n"], 10010);
  EXPECT_NEAR(metrics()["log_loss"].get<double>(), .1054, 5e-5);
  options.refcompat.squash_prob = true;
  EXPECT_NEAR(metrics()["log_loss"].get<double>(), .3711, 5e-5);
  options.refcompat.eval_first_10000 = true;
  EXPECT_EQ(metrics()["n"], 10000);
  folder.put("infer/scores.jsonl", "{\"label\":1,\"score\":0.5}\n{\"label\":0,\"score\":0.5}\n");
  testing::expect_error(ExitCode::kBadData, "without score_squashed", [&] { metrics(); });
}

TEST(EvaluateStage, OneClassIsAnErrorThatNamesTheFile) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder.file("infer"));
  folder.put("infer/scores.jsonl", "{\"label\":1,\"score\":0.5}\n");
  testing::expect_error(ExitCode::kBadData, "infer/scores.jsonl",
                        [&] { run_stage(folder, 2, false); });
}

}  // namespace
}  // namespace rallrec::pipeline
