#include "pipeline/baseline.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "core/rng.h"
#include "data/dataset_file.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "logging/log.h"
#include "pipeline/run_pipeline.h"
#include "tests/pipeline/made_up_dataset.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using nlohmann::json;
using rallrec::testing::expect_error;
using rallrec::testing::TemporaryFolder;

config::Options small_options() {
  config::Options options;
  options.baseline.epochs = 12;
  options.baseline.batch_size = 128;
  options.baseline.block_size = 32;
  options.baseline.embedding_size = 4;
  options.baseline.learning_rate = 0.01;
  options.baseline.mlp_sizes = "8";
  return options;
}

std::vector<json> lines_of(const std::string& path) {
  std::istringstream stream(io::read_file(path));
  std::vector<json> lines;
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(json::parse(line));
  }
  return lines;
}

// Users of one of two groups like items of the same group.
class BaselineFiles : public ::testing::Test {
 protected:
  BaselineFiles() {
    files_.train = put("train.inter", 900, 1);
    files_.valid = put("valid.inter", 200, 2);
    files_.test = put("test.inter", 203, 3);
    std::string users = "user_id:token\tgroup:token\tage:float\n";
    std::string items = "item_id:token\twords:token_seq\n";
    for (int u = 0; u < 30; ++u) {
      users += "u" + std::to_string(u) + "\tg" + std::to_string(u % 2) + "\t" +
               std::to_string(20 + u) + "\n";
      items += "i" + std::to_string(u) + (u % 2 == 0 ? "\tred big\n" : "\tblue big\n");
    }
    files_.users = folder_.put("my.user", users);
    files_.items = folder_.put("my.item", items);
  }

  // Some users and items have no row in the side files.
  std::string put(const std::string& name, int rows, std::uint64_t seed) {
    Rng rng(seed);
    std::string text = "user_id:token\titem_id:token\tlabel:float\ttimestamp:float\n";
    for (int row = 0; row < rows; ++row) {
      const auto user = rng.next_below(33);
      const auto item = rng.next_below(33);
      const bool yes = rng.next_double() < (user % 2 == item % 2 ? 0.9 : 0.1);
      text += "u" + std::to_string(user) + "\ti" + std::to_string(item) +
              (yes ? "\t1\t" : "\t0\t") + std::to_string(row) + "\n";
    }
    return folder_.put(name, text);
  }

  json run(const std::string& model, const std::string& output) {
    distributed::LocalCommunicator communicator;
    baseline_on_files(model, files_, folder_.file(output), options_, communicator);
    return json::parse(folder_.get(output + "/metrics.json"));
  }

  TemporaryFolder folder_;
  data::CtrFiles files_;
  config::Options options_ = small_options();
};

TEST_F(BaselineFiles, WritesALinePerTestRowAndTheirMetrics) {
  const json metrics = run("deep_fm", "out");
  const std::vector<json> scores = lines_of(folder_.file("out/scores.jsonl"));
  ASSERT_EQ(scores.size(), 203U);
  std::istringstream test(folder_.get("test.inter"));
  std::string row;
  std::getline(test, row);
  double pairs = 0.0;
  double won = 0.0;
  for (const json& line : scores) {
    std::getline(test, row);
    std::vector<std::string> cells;
    std::istringstream stream(row);
    for (std::string cell; std::getline(stream, cell, '\t');) cells.push_back(cell);
    EXPECT_EQ(line["user"], cells[0]);
    EXPECT_EQ(line["item"], cells[1]);
    EXPECT_EQ(line["timestamp"], std::stoi(cells[3]));
    EXPECT_EQ(line.size(), 5U);
    EXPECT_EQ(line["label"].get<int>(), row.find("\t1\t") == std::string::npos ? 0 : 1);
    for (const json& other : scores) {
      if (line["label"] == 1 && other["label"] == 0) {
        pairs += 1.0;
        won += line["score"] > other["score"] ? 1.0 : line["score"] == other["score"] ? 0.5 : 0.0;
      }
    }
  }
  EXPECT_NEAR(metrics["auc"], won / pairs, 1e-12);
  EXPECT_GT(metrics["auc"], 0.8);
  EXPECT_EQ(metrics["n"], 203);
  EXPECT_EQ(metrics["fields"], json({"user_id", "group", "age", "item_id", "words"}));
  for (const char* key : {"log_loss", "accuracy", "epochs", "best_epoch", "seconds_per_epoch",
                          "valid_auc", "positive_rate"}) {
    EXPECT_TRUE(metrics.contains(key)) << key;
  }
}

TEST_F(BaselineFiles, EveryModelGivesTheSameBytesOnSeveralRanks) {
  for (const char* model : {"deep_fm", "x_deep_fm", "dcn", "auto_int"}) {
    options_.baseline.epochs = 2;
    json one = run(model, "one");
    for (const int ranks : {2, 4}) {
      distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
        baseline_on_files(model, files_, folder_.file("more"), options_, communicator);
      });
      EXPECT_EQ(folder_.get("more/scores.jsonl"), folder_.get("one/scores.jsonl")) << model;
      json more = json::parse(folder_.get("more/metrics.json"));
      one.erase("seconds_per_epoch");
      more.erase("seconds_per_epoch");
      EXPECT_EQ(more, one) << model;
    }
  }
}

TEST_F(BaselineFiles, SideFilesAreOptional) {
  files_.users.clear();
  files_.items.clear();
  EXPECT_EQ(run("dcn", "out")["fields"], json({"user_id", "item_id"}));
}

TEST_F(BaselineFiles, AnErrorLeavesNoFolder) {
  files_.test = folder_.put("test.inter", "user_id:token\titem_id:token\tlabel:float\nu1\ti1\t1\n");
  expect_error(ExitCode::kBadData, "test.inter: all 1 labels of test are 1",
               [&] { run("dcn", "out"); });
  EXPECT_FALSE(io::file_exists(folder_.file("out")));
  options_.baseline.history = 5;
  expect_error(ExitCode::kUsage, "baseline.history", [&] { run("dcn", "out"); });
}

TEST_F(BaselineFiles, AFailedTrainingLeavesNothingOfAnEarlierOne) {
  options_.baseline.epochs = 1;
  run("dcn", "out");
  const auto expect_results = [this](bool there) {
    EXPECT_EQ(io::file_exists(folder_.file("out/metrics.json")), there);
    EXPECT_EQ(io::file_exists(folder_.file("out/scores.jsonl")), there);
  };
  const std::string test = files_.test;
  files_.test = folder_.file("none.inter");
  expect_error(ExitCode::kMissingInput, "none.inter", [&] { run("dcn", "out"); });
  expect_results(true);  // nothing was read that could take their place
  files_.test = test;
  options_.baseline.epochs = 9;
  options_.baseline.learning_rate = 1e30;
  EXPECT_THROW(run("dcn", "out"), Error);
  expect_results(false);
}

class BaselineStage : public ::testing::Test {
 protected:
  BaselineStage() {
    io::make_directories(folder_.file("ingest"));
    data::save_dataset(folder_.file("ingest/interactions.h5"), made_up_dataset(12, 40, 50));
  }
  // The run's log is in the folder that goes.
  void TearDown() override { logging::configure_logging({}); }

  std::vector<StageOutcome> run(const std::string& model) {
    distributed::LocalCommunicator communicator;
    RunRequest request;
    request.run_dir = folder_.path();
    request.stages = {"baseline/" + model};
    return run_pipeline(request, options_, communicator, baseline_table());
  }

  TemporaryFolder folder_;
  config::Options options_ = small_options();
};

TEST_F(BaselineStage, ScoresTheTestSamplesOnceUntilSomethingChanges) {
  EXPECT_FALSE(run("auto_int")[0].kept);
  const std::vector<json> scores = lines_of(folder_.file("baseline/auto_int/scores.jsonl"));
  const data::Dataset dataset = made_up_dataset(12, 40, 50);
  const auto test = range_of(dataset.samples, data::Split::kTest);
  ASSERT_EQ(static_cast<std::int32_t>(scores.size()), test.size());
  EXPECT_EQ(scores[0]["label"].get<int>(), dataset.samples.label[test.begin]);
  for (const std::int32_t place : {0, test.size() - 1}) {
    const std::int32_t sample = test.begin + place;
    const json& line = scores[static_cast<std::size_t>(place)];
    EXPECT_EQ(line["user"], dataset.users.name(dataset.sample_user(sample)));
    EXPECT_EQ(line["item"], dataset.items.name(dataset.sample_item(sample)));
    EXPECT_EQ(line["timestamp"], dataset.sample_timestamp(sample));
  }
  EXPECT_TRUE(run("auto_int")[0].kept);
  EXPECT_FALSE(run("dcn")[0].kept);
  options_.baseline.model = "dcn";  // which of them a run has changes none of them
  EXPECT_TRUE(run("auto_int")[0].kept);
  options_.baseline.learning_rate = 0.02;
  EXPECT_FALSE(run("auto_int")[0].kept);
}

TEST_F(BaselineStage, AHistoryIsOneMoreField) {
  options_.baseline.history = 3;
  run("deep_fm");
  const json metrics = json::parse(folder_.get("baseline/deep_fm/metrics.json"));
  EXPECT_EQ(metrics["fields"], json({"user_id", "gender", "item_id", "title", "history"}));
}

TEST_F(BaselineStage, NeedsIngest) {
  std::filesystem::remove(folder_.file("ingest/interactions.h5"));
  expect_error(ExitCode::kMissingInput, "written by stage ingest", [&] { run("dcn"); });
}

}  // namespace
}  // namespace rallrec::pipeline
