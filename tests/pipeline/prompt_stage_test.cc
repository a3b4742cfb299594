#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "data/dataset_file.h"
#include "data/history.h"
#include "distributed/thread_communicator.h"
#include "pipeline/prompt.h"
#include "retrieval/neighbours_file.h"
#include "tests/pipeline/made_up_dataset.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using Files = std::map<std::string, std::string>;

const std::string kSource = RALLREC_SOURCE_DIR;

config::Options options() {
  config::Options result;
  result.model.path = kSource + "/tests/fixtures/tiny_tokenizer";
  result.prompt.templates = kSource + "/configs/prompts/movielens_compact.toml";
  result.prompt.list_format = "plain";
  result.prompt.k = 4;
  result.prompt.train_samples = 10;
  result.prompt.valid_samples = 5;
  result.prompt.test_samples = 6;
  return result;
}

retrieval::Neighbours newest_last(const data::Dataset& dataset) {
  retrieval::Neighbours neighbours;
  for (std::int32_t sample = 0; sample < dataset.samples.size(); ++sample) {
    std::vector<std::int32_t> places(history_of(dataset, sample).size());
    std::iota(places.begin(), places.end(), 0);
    neighbours.add(sample, places, std::vector<float>(places.size(), 0.0F));
  }
  return neighbours;
}

class PromptStage : public ::testing::Test {
 protected:
  PromptStage() {
    std::filesystem::create_directories(folder_.file("ingest"));
    std::filesystem::create_directories(folder_.file("retrieve"));
    data::save_dataset(folder_.file("ingest/interactions.h5"), dataset_);
    retrieval::save_neighbours(folder_.file("retrieve/neighbours.h5"), newest_last(dataset_));
  }

  Files run(const config::Options& chosen, int ranks) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      StageContext context{chosen, communicator, folder_.path()};
      run_prompt(context);
    });
    Files files;
    for (const char* name : {"train", "valid", "test", "zero_shot"}) {
      files[name] = folder_.get("prompt/" + std::string(name) + ".jsonl");
    }
    return files;
  }
  static std::vector<std::string> values(const std::string& file, const char* key) {
    std::vector<std::string> result;
    std::istringstream lines(file);
    for (std::string line; std::getline(lines, line);) {
      result.push_back(nlohmann::json::parse(line)[key].dump());
    }
    return result;
  }

  const rallrec::testing::TemporaryFolder folder_;
  const data::Dataset dataset_ = made_up_dataset(5, 25, 60);
};

TEST_F(PromptStage, WritesTheFourFiles) {
  const Files files = run(options(), 1);
  EXPECT_EQ(values(files.at("train"), "view").size(), 20U);
  EXPECT_EQ(values(files.at("train"), "view")[0], "\"high\"");
  EXPECT_EQ(values(files.at("train"), "view")[1], "\"sequential\"");
  EXPECT_EQ(values(files.at("valid"), "view"), std::vector<std::string>(5, "\"rerank\""));
  EXPECT_EQ(values(files.at("test"), "view"), std::vector<std::string>(6, "\"rerank\""));
  EXPECT_EQ(values(files.at("zero_shot"), "view"), std::vector<std::string>(6, "\"simple\""));
  EXPECT_EQ(values(files.at("zero_shot"), "sample"), values(files.at("test"), "sample"));
  EXPECT_EQ(values(files.at("test"), "sample")[0], std::to_string(dataset_.samples.valid_end));
}

TEST_F(PromptStage, WritesTheSameBytesWithAnyNumberOfRanks) {
  const Files files = run(options(), 1);
  EXPECT_EQ(run(options(), 2), files);
  EXPECT_EQ(run(options(), 3), files);
}

// Of 1,024 samples, 683, 683 and 682 prompts.
TEST_F(PromptStage, TrainsOnTheHeadOfTheMixedListWhereAsked) {
  config::Options mixed = options();
  mixed.refcompat.first_2048_of_mixed = true;
  const Files files = run(mixed, 2);
  const auto views = values(files.at("train"), "view");
  ASSERT_EQ(views.size(), 20U);
  for (std::size_t i = 0; i < views.size(); ++i) {
    EXPECT_EQ(views[i], i % 3 == 0 ? "\"high\"" : i % 3 == 1 ? "\"sequential\"" : "\"simple\"");
  }
  const auto samples = values(files.at("train"), "sample");
  EXPECT_EQ(std::set<std::string>(samples.begin(), samples.end()).size(), 7U);
  EXPECT_EQ(files.at("test"), run(options(), 1).at("test"));
}

TEST_F(PromptStage, LeavesOutTimestampsThatAreNot) {
  EXPECT_EQ(values(run(options(), 1).at("test"), "timestamp")[0],
            std::to_string(dataset_.sample_timestamp(dataset_.samples.valid_end)));
  data::Dataset untimed = made_up_dataset(5, 25, 60);
  untimed.interactions.timestamp.clear();
  untimed.time_ordered = false;
  data::save_dataset(folder_.file("ingest/interactions.h5"), untimed);
  const Files files = run(options(), 1);
  EXPECT_EQ(values(files.at("test"), "timestamp"), std::vector<std::string>(6, "null"));
  EXPECT_EQ(files.at("test").find("timestamp"), std::string::npos);
  EXPECT_EQ(values(files.at("test"), "sample").size(), 6U);
}

TEST_F(PromptStage, NeedsNeighboursOnlyWhereAViewUsesThem) {
  std::filesystem::remove(folder_.file("retrieve/neighbours.h5"));
  rallrec::testing::expect_error(ExitCode::kMissingInput, "neighbours.h5",
                                 [&] { run(options(), 1); });
  config::Options simple = options();
  simple.prompt.train_views = {"simple"};
  simple.prompt.test_view = "simple";
  EXPECT_EQ(values(run(simple, 1).at("train"), "view").size(), 10U);
}

}  // namespace
}  // namespace rallrec::pipeline
