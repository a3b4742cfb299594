// Where descriptions come from: a person's file, the cache, the model.
#include "pipeline/describe.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "data/dataset_file.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "pipeline/describe_cache.h"
#include "pipeline/external_inputs.h"
#include "tests/pipeline/made_up_dataset.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/thread_count_guard.h"
#include "tests/support/tiny_model.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::expect_error;

constexpr int kItems = 7;  // "1" to "7"

class Describe : public ::testing::Test {
 protected:
  Describe() {
    rallrec::testing::write_tiny_model(folder_.file("model"));
    options_.model.path = folder_.file("model");
    options_.model.quant = "fp32";
    options_.describe.max_new_tokens = 6;
    // Alone in its batch, a text does not depend on which others are generated.
    options_.describe.batch_size = 1;
    options_.prompt.templates = std::string(RALLREC_SOURCE_DIR) + "/configs/prompts/movielens.toml";
  }

  static data::Dataset dataset() { return made_up_dataset(3, 12, kItems); }

  // Runs the stage in a run folder of its own; returns what it wrote, by item.
  std::map<std::string, nlohmann::json> describe(const std::string& run, int ranks = 1) {
    for (const char* stage : {"/ingest", "/describe"}) {
      io::make_directories(folder_.file(run) + stage);
    }
    data::save_dataset(folder_.file(run) + "/ingest/interactions.h5", dataset());
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      StageContext context{options_, communicator, folder_.file(run)};
      run_describe(context);
      if (communicator.rank() == 0) {
        figures_ = context.report.figures();
      }
    });
    std::map<std::string, nlohmann::json> found;
    std::istringstream lines(text_of(run));
    for (std::string line; std::getline(lines, line);) {
      const auto object = nlohmann::json::parse(line);
      found[object["item"]] = object;
    }
    return found;
  }

  std::string text_of(const std::string& run) const {
    return folder_.get(run + "/describe/descriptions.jsonl");
  }

  std::int64_t figure(const std::string& name) const {
    for (const auto& [key, value] : figures_) {
      if (key == name) {
        return std::get<std::int64_t>(value);
      }
    }
    return -1;
  }

  std::string cache_file() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_.file("cache"))) {
      return "cache/" + entry.path().filename().string();
    }
    return "";
  }

  rallrec::testing::TemporaryFolder folder_;
  const rallrec::testing::ThreadCountGuard one_thread_{1};
  config::Options options_;
  io::Figures figures_;
};

TEST_F(Describe, TakesAPersonsOwnTextsAndGeneratesTheRest) {
  options_.describe.temperature = 1.0;  // the draws must not move either
  const auto generated = describe("plain");
  options_.describe.file = folder_.put("own.jsonl",
                                       "{\"item\": \"2\", \"description\": \"Two.\"}\n"
                                       "{\"item\": \"7\", \"description\": \"Seven.\"}\n");
  auto mixed = describe("mixed");
  ASSERT_EQ(mixed.size(), static_cast<std::size_t>(kItems));
  EXPECT_EQ(figure("generated"), kItems - 2);
  EXPECT_EQ(figure("of one's own"), 2);
  for (const char* item : {"2", "7"}) {
    EXPECT_EQ(mixed[item]["description"], *item == '2' ? "Two." : "Seven.");
    EXPECT_FALSE(mixed[item].contains("prompt"));
    mixed.erase(item);
  }
  std::set<std::string> different;
  for (const auto& [item, object] : mixed) {
    EXPECT_EQ(object, generated.at(item)) << item;
    different.insert(object["description"].get<std::string>());
  }
  EXPECT_GT(different.size(), 2U);
}

TEST_F(Describe, ARequestThatTheCacheKnowsIsNotGeneratedAgain) {
  options_.describe.cache = folder_.file("cache");
  describe("first");
  EXPECT_EQ(figure("generated"), kItems);
  const std::string first = text_of("first");
  describe("second", 3);
  EXPECT_EQ(figure("generated"), 0);
  EXPECT_EQ(figure("from cache"), kItems);
  EXPECT_EQ(text_of("second"), first);
  // It is the cache that answers: a text changed there comes back.
  std::string kept = folder_.get(cache_file());
  auto line = nlohmann::json::parse(kept.substr(0, kept.find('\n')));
  line["description"] = "Changed.";
  folder_.put(cache_file(), line.dump() + "\n{half a line");
  const auto third = describe("third");
  EXPECT_EQ(figure("generated"), kItems - 1);
  EXPECT_NE(text_of("third").find("\"Changed.\""), std::string::npos);
  options_.describe.max_new_tokens += 1;
  describe("longer");
  EXPECT_EQ(figure("generated"), kItems);
}

TEST_F(Describe, WritesTheSameCacheOnAnyNumberOfRanks) {
  options_.describe.cache = folder_.file("cache");
  describe("one");
  const std::string one = folder_.get(cache_file());
  std::filesystem::remove(folder_.file(cache_file()));
  describe("three", 3);
  EXPECT_EQ(folder_.get(cache_file()), one);
  EXPECT_EQ(std::count(one.begin(), one.end(), '\n'), kItems);
}

TEST_F(Describe, WithoutGenerationWhatIsMissingIsCountedAndTheFirstNamed) {
  options_.describe.generate = false;
  options_.describe.file =
      folder_.put("own.jsonl", "{\"item\": \"1\", \"description\": \"One.\"}\n");
  expect_error(ExitCode::kBadData,
               "own.jsonl: 6 items with metadata have no description, the first is '2'",
               [&] { describe("run"); });
}

TEST_F(Describe, LinesOfTheFileThatFitNoItemAreNamed) {
  options_.describe.file = folder_.put("own.jsonl",
                                       "{\"item\": \"1\", \"description\": \"a\"}\n"
                                       "{\"item\": \"9\", \"description\": \"b\"}\n");
  expect_error(ExitCode::kBadData, "own.jsonl:2", [&] { describe("run"); });
  folder_.put("own.jsonl",
              "{\"item\": \"1\", \"description\": \"a\"}\n"
              "{\"item\": \"1\", \"description\": \"b\"}\n");
  expect_error(ExitCode::kBadData, "'1' was described before", [&] { describe("run"); });
  options_.describe.file = folder_.file("none.jsonl");
  expect_error(ExitCode::kMissingInput, "describe.file", [&] { describe_files(options_); });
}

TEST_F(Describe, TheRequestAsksForSoManyWords) {
  options_.describe.max_words = 25;
  EXPECT_NE(describe("run")["1"]["prompt"].get<std::string>().find("at most 25 words"),
            std::string::npos);
}

TEST_F(Describe, AnIncompleteFileIsRefusedWhereItIsRead) {
  const std::string path = folder_.put("d.jsonl", "{\"item\": \"1\", \"description\": \"One.\"}\n");
  expect_error(ExitCode::kBadData, "6 items with metadata have no description",
               [&] { load_descriptions(path, dataset()); });
  data::Dataset bare = dataset();
  bare.item_fields.fields.clear();
  EXPECT_EQ(load_descriptions(path, bare)[0], "One.");
  EXPECT_EQ(load_descriptions(path, bare)[1], "");
}

}  // namespace
}  // namespace rallrec::pipeline
