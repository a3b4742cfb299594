#include "pipeline/prompt_builder.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "pipeline/prompt_writer.h"
#include "pipeline/wording.h"
#include "tests/pipeline/made_up_dataset.h"
#include "tests/support/expect_error.h"
#include "tests/support/temporary_folder.h"
#include "text/tokenizer.h"

namespace rallrec::pipeline {
namespace {

using text::View;

config::Options options_with(std::int64_t k, const std::string& templates) {
  config::Options options;
  options.prompt.k = k;
  options.prompt.templates =
      std::string(RALLREC_SOURCE_DIR) + "/configs/prompts/" + templates + ".toml";
  options.prompt.list_format = templates == "movielens" ? "python" : "plain";
  return options;
}

// Everything a builder is made from.
struct Bench {
  explicit Bench(const config::Options& o)
      : options(o), wording(load_wording(options.prompt, dataset)) {}

  PromptBuilder builder() const { return {dataset, wording, chat, options}; }

  config::Options options;
  data::Dataset dataset = made_up_dataset(6, 20, 50);
  text::PromptTemplate wording;
  text::Tokenizer tokenizer =
      text::Tokenizer::load(std::string(RALLREC_SOURCE_DIR) + "/tests/fixtures/tiny_tokenizer");
  text::ChatTemplate chat{tokenizer, {}};
};

std::string history_line(const data::Dataset& dataset, std::int32_t sample,
                         const std::vector<std::int32_t>& places) {
  std::string line;
  for (const std::int32_t place : places) {
    const auto entry = history_of(dataset, sample)[static_cast<std::size_t>(place)];
    line += (line.empty() ? "" : "; ") + std::string("Film ") + dataset.items.name(entry.item) +
            " " + std::to_string(static_cast<int>(entry.rating));
  }
  return line;
}

TEST(PromptBuilder, ShowsTheChosenHistoryAndTheTarget) {
  const Bench bench(options_with(3, "movielens_compact"));
  PromptBuilder builder = bench.builder();
  const std::int32_t sample = bench.dataset.samples.size() - 1;
  const auto size = static_cast<std::int32_t>(history_of(bench.dataset, sample).size());
  const std::string target = "Film " + bench.dataset.items.name(bench.dataset.sample_item(sample));
  const auto expect_history = [&](View view, const std::vector<std::int32_t>& places) {
    const std::string input = builder.build(sample, view, {5, 0, 2, 1}).input;
    EXPECT_NE(input.find("\n" + history_line(bench.dataset, sample, places) + "\n"),
              std::string::npos)
        << input;
    EXPECT_EQ(input.substr(input.size() - target.size()), target);
  };
  expect_history(View::kSimple, {size - 3, size - 2, size - 1});
  expect_history(View::kHigh, {5, 0, 2});
  expect_history(View::kSequential, {0, 2, 5});
  // 2/3, 1/3, 2/9 against 1/3, 1/6: the nearest two and the newest.
  expect_history(View::kRerank, {5, 0, size - 1});
}

TEST(PromptBuilder, RerankByTwoThirdsConcernsThatViewAlone) {
  config::Options options = options_with(3, "movielens_compact");
  options.refcompat.rerank_two_thirds = true;
  options.data.dataset = "book-crossing";
  const Bench bench(options);
  const std::int32_t sample = bench.dataset.samples.size() - 1;
  const auto size = static_cast<std::int32_t>(history_of(bench.dataset, sample).size());
  const auto shows = [&](PromptBuilder builder, View view,
                         const std::vector<std::int32_t>& places) {
    const std::string input = builder.build(sample, view, {5, 0, 2}).input;
    EXPECT_NE(input.find("\n" + history_line(bench.dataset, sample, places) + "\n"),
              std::string::npos)
        << input;
  };
  shows(bench.builder(), View::kRerank, {5, 0, size - 1});
  shows(bench.builder(), View::kHigh, {5, 0, 2});
  // MovieLens-1M's notebook: of the three nearest the two newest.
  options.data.dataset = "movielens-1m";
  const Bench other(options);
  shows(other.builder(), View::kRerank, {5, 2, size - 1});
}

TEST(PromptBuilder, KeepsALongPromptWholeWhereItsEndIsCutLater) {
  config::Options options = options_with(10, "movielens_compact");
  options.prompt.cutoff = 20;
  options.refcompat.right_truncation = true;
  const Bench bench(options);
  const Prompt prompt = bench.builder().build(bench.dataset.samples.size() - 1, View::kSequential,
                                              {9, 1, 8, 2, 7, 3, 6, 4, 5, 0});
  EXPECT_EQ(prompt.dropped, 0);
  EXPECT_GT(prompt.tokens, 20);
}

TEST(PromptBuilder, DropsTheLeastRelevantUntilThePromptFits) {
  Bench bench(options_with(10, "movielens_compact"));
  const std::int32_t sample = bench.dataset.samples.size() - 1;
  const std::vector<std::int32_t> similar = {9, 1, 8, 2, 7, 3, 6, 4, 5, 0};
  const Prompt whole = bench.builder().build(sample, View::kSequential, similar);
  EXPECT_EQ(whole.dropped, 0);
  bench.options.prompt.cutoff = whole.tokens;
  EXPECT_EQ(bench.builder().build(sample, View::kSequential, similar).input, whole.input);
  bench.options.prompt.cutoff = whole.tokens - 1;
  const Prompt cut = bench.builder().build(sample, View::kSequential, similar);
  EXPECT_EQ(cut.dropped, 1);
  EXPECT_LE(cut.tokens, bench.options.prompt.cutoff);
  EXPECT_NE(cut.input.find(history_line(bench.dataset, sample, {1, 2, 3, 4, 5, 6, 7, 8, 9})),
            std::string::npos);
  const auto ids = bench.chat.training_ids(bench.wording.system(), cut.input, "Yes.").ids;
  EXPECT_EQ(static_cast<std::int64_t>(ids.size()), cut.tokens);
  bench.options.prompt.cutoff = 5;
  rallrec::testing::expect_error(ExitCode::kUsage, "prompt.cutoff", [&] {
    bench.builder().build(sample, View::kSequential, similar);
  });
}

// A history whose text alone is beyond what is encoded at once is shortened all the same.
TEST(PromptBuilder, ShortensTextsBeyondTheTokenizersLimit) {
  Bench bench(options_with(10, "movielens_compact"));
  std::string longest(20000, 'x');
  for (std::string& title : bench.dataset.item_fields.fields[0].vocabulary) {
    title = longest;
  }
  bench.options.prompt.cutoff = 70000;
  const Prompt prompt = bench.builder().build(bench.dataset.samples.size() - 1, View::kSimple, {});
  EXPECT_EQ(prompt.dropped, 8);
}

retrieval::Neighbours made_up_neighbours(const data::Dataset& dataset) {
  retrieval::Neighbours neighbours;
  for (std::int32_t sample = 0; sample < dataset.samples.size(); ++sample) {
    std::vector<std::int32_t> places;
    const auto size = static_cast<std::int32_t>(history_of(dataset, sample).size());
    for (std::int32_t i = 0; i < size; ++i) {
      places.push_back((i * 3 + sample) % size);
    }
    std::sort(places.begin(), places.end());
    places.erase(std::unique(places.begin(), places.end()), places.end());
    std::rotate(places.begin(), places.begin() + sample % static_cast<int>(places.size()),
                places.end());
    neighbours.add(sample, places, std::vector<float>(places.size(), 1.0F));
  }
  return neighbours;
}

std::string written_by(int ranks, PromptTotals& totals) {
  const rallrec::testing::TemporaryFolder folder;
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
    const Bench bench(options_with(5, "movielens"));
    const retrieval::Neighbours neighbours = made_up_neighbours(bench.dataset);
    PromptBuilder builder = bench.builder();
    PromptWriter writer(communicator, bench.dataset, bench.wording.system(), builder, &neighbours);
    std::vector<std::int32_t> samples(static_cast<std::size_t>(bench.dataset.samples.size()));
    std::iota(samples.rbegin(), samples.rend(), 0);
    writer.write(folder.file("p.jsonl"), tasks_of(samples, {View::kHigh, View::kSequential}));
    writer.write(folder.file("empty.jsonl"), {});
    const PromptTotals all = writer.totals();
    if (communicator.rank() == 0) {
      totals = all;
    }
  });
  EXPECT_EQ(folder.get("empty.jsonl"), "");
  return folder.get("p.jsonl");
}

TEST(PromptWriter, WritesTheSameBytesWithAnyNumberOfRanks) {
  PromptTotals one;
  const std::string text = written_by(1, one);
  EXPECT_EQ(static_cast<std::int64_t>(std::count(text.begin(), text.end(), '\n')), one.prompts);
  for (const int ranks : {2, 3, 7}) {
    PromptTotals totals;
    EXPECT_EQ(written_by(ranks, totals), text);
    EXPECT_EQ(totals.prompts, one.prompts);
    EXPECT_EQ(totals.tokens, one.tokens);
    EXPECT_EQ(totals.longest, one.longest);
  }
}

TEST(PromptWriter, LinesSayWhatTheyAreAbout) {
  PromptTotals totals;
  std::istringstream stream(written_by(2, totals));
  const data::Dataset dataset = made_up_dataset(6, 20, 50);
  std::int32_t sample = dataset.samples.size() - 1;
  for (std::string line; std::getline(stream, line); --sample) {
    for (const char* view : {"high", "sequential"}) {
      const auto object = nlohmann::json::parse(line);
      EXPECT_EQ(object["sample"], sample);
      EXPECT_EQ(object["view"], view);
      EXPECT_EQ(object["label"], dataset.sample_rating(sample) > 3 ? 1 : 0);
      EXPECT_EQ(object["output"], dataset.sample_rating(sample) > 3 ? "Yes." : "No.");
      EXPECT_EQ(object["user"], dataset.users.name(dataset.sample_user(sample)));
      EXPECT_EQ(object["item"], dataset.items.name(dataset.sample_item(sample)));
      EXPECT_EQ(object["timestamp"], dataset.sample_timestamp(sample));
      EXPECT_NE(object["system"].get<std::string>().find("helpful"), std::string::npos);
      if (std::string(view) == "high") {
        std::getline(stream, line);
      }
    }
  }
  EXPECT_EQ(sample, -1);
}

TEST(Wording, ItemsWithoutTitleGoByTheirId) {
  data::Dataset dataset = made_up_dataset(2, 20, 20);
  EXPECT_EQ(item_fields(dataset, 3)("title"), "Film 4 (1990)");
  EXPECT_EQ(user_fields(dataset, 1)("gender"), "male");
  dataset.item_fields.fields.clear();
  EXPECT_EQ(item_fields(dataset, 3)("title"), "4");
  EXPECT_EQ(item_fields(dataset, 3)("genres"), "");
}

}  // namespace
}  // namespace rallrec::pipeline
