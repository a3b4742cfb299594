#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <regex>

#include "data/history.h"
#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "io/files.h"
#include "io/hdf5_file.h"
#include "pipeline/pair_samples.h"
#include "pipeline/prompt_builder.h"
#include "pipeline/recommend_candidates.h"
#include "pipeline/retrieve.h"
#include "pipeline/wording.h"
#include "tests/pipeline/made_up_dataset.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_floats.h"
#include "tests/support/temporary_folder.h"

namespace rallrec::pipeline {
namespace {

using rallrec::testing::expect_error;
using rallrec::testing::random_floats;

constexpr int kUsers = 4;
constexpr int kRows = 12;
constexpr int kItems = 30;
constexpr int kWidth = 5;

// A run folder with graph embeddings alone, which eq. 7 is told to use.
class Recommend : public ::testing::Test {
 protected:
  Recommend() {
    options_.retrieve.blocks = {"colla"};
    options_.prompt.k = 4;
    options_.prompt.templates =
        std::string(RALLREC_SOURCE_DIR) + "/configs/prompts/movielens_compact.toml";
    options_.prompt.list_format = "plain";
    io::make_directories(folder_.file("light_gcn"));
    io::Hdf5Writer file(folder_.file("light_gcn/graph_embeddings.h5"));
    file.add_matrix("item", item_.data(), kItems, kWidth);
    file.add_matrix("user", user_.data(), kUsers, kWidth);
    file.commit();
  }

  static data::Dataset dataset(int rows = kRows) { return made_up_dataset(kUsers, rows, kItems); }

  std::vector<std::int32_t> shortlist_on(int ranks, ShortlistTask task) {
    std::vector<std::int32_t> found;
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const StageContext context{options_, communicator, folder_.path()};
      const auto items = shortlist(task, dataset(), context);
      if (communicator.rank() == ranks - 1) {
        found = items;
      }
    });
    return found;
  }

  // The candidates by falling dot product with `query`.
  std::vector<std::int32_t> by_product(const std::vector<double>& query,
                                       std::vector<std::int32_t> candidates, bool unit) const {
    const auto product = [&](std::int32_t item) {
      double sum = 0.0;
      double square = 0.0;
      for (int k = 0; k < kWidth; ++k) {
        const double value = item_[static_cast<std::size_t>(item * kWidth + k)];
        sum += query[static_cast<std::size_t>(k)] * value;
        square += value * value;
      }
      return unit ? sum / std::sqrt(square) : sum;
    };
    std::sort(candidates.begin(), candidates.end(),
              [&](auto a, auto b) { return product(a) > product(b); });
    return candidates;
  }

  rallrec::testing::TemporaryFolder folder_;
  config::Options options_;
  const std::vector<float> item_ = random_floats(kItems * kWidth, 1);
  const std::vector<float> user_ = random_floats(kUsers * kWidth, 2);
};

TEST_F(Recommend, CandidatesAreTheItemsWithoutARating) {
  const data::Dataset data = dataset();
  for (std::int32_t user = 0; user < kUsers; ++user) {
    const auto items = unrated_items(data, user);
    EXPECT_EQ(items.size(), static_cast<std::size_t>(kItems - kRows));
    EXPECT_TRUE(std::is_sorted(items.begin(), items.end()));
    const data::History history = full_history(data, user);
    for (std::size_t i = 0; i < history.size(); ++i) {
      EXPECT_FALSE(std::binary_search(items.begin(), items.end(), history.item(i)));
    }
  }
}

TEST_F(Recommend, ShortlistIsTheBestByTheLikedHistory) {
  const data::Dataset data = dataset();
  ShortlistTask task;
  task.user = 1;
  task.candidates = unrated_items(data, task.user);
  task.count = 6;
  std::vector<double> query(kWidth);
  const data::History history = full_history(data, task.user);
  int liked = 0;
  for (std::size_t i = 0; i < history.size(); ++i) {
    double square = 0.0;
    for (int k = 0; k < kWidth; ++k) {
      square += std::pow(item_[static_cast<std::size_t>(history.item(i) * kWidth + k)], 2);
    }
    for (int k = 0; k < kWidth && history.rating(i) > 3; ++k) {
      query[static_cast<std::size_t>(k)] +=
          item_[static_cast<std::size_t>(history.item(i) * kWidth + k)] / std::sqrt(square);
    }
    liked += history.rating(i) > 3 ? 1 : 0;
  }
  ASSERT_GT(liked, 1);
  ASSERT_LT(liked, kRows);
  std::vector<std::int32_t> expected = by_product(query, task.candidates, true);
  expected.resize(6);
  EXPECT_EQ(shortlist_on(1, task), expected);
  EXPECT_EQ(shortlist_on(3, task), expected);
}

TEST_F(Recommend, ShortlistByLightGcnIsTheBestByTheUsersEmbedding) {
  ShortlistTask task;
  task.user = 2;
  task.candidates = {3, 4, 8, 9, 15, 21, 29};
  task.count = 3;
  task.by = shortlist_by_from("light_gcn");
  const std::vector<double> query(user_.begin() + 2 * kWidth, user_.begin() + 3 * kWidth);
  std::vector<std::int32_t> expected = by_product(query, task.candidates, false);
  expected.resize(3);
  EXPECT_EQ(shortlist_on(2, task), expected);
  expect_error(ExitCode::kUsage, "did you mean 'vectors'", [] { shortlist_by_from("vector"); });
}

// A pair that nobody has rated gets the prompt that it would get if it came next.
TEST_F(Recommend, APairIsPromptedAsTheUsersNextInteraction) {
  const data::Dataset later = dataset(kRows + 1);
  distributed::LocalCommunicator communicator;
  const StageContext context{options_, communicator, folder_.path()};
  const text::Tokenizer tokenizer =
      text::Tokenizer::load(std::string(RALLREC_SOURCE_DIR) + "/tests/fixtures/tiny_tokenizer");
  const text::ChatTemplate chat(tokenizer, {});
  std::vector<Pair> pairs;
  std::vector<std::int32_t> samples;  // of the last rows, one per user
  for (std::int32_t sample = later.samples.size() - kUsers; sample < later.samples.size();
       ++sample) {
    samples.push_back(sample);
    pairs.push_back({later.sample_user(sample), later.sample_item(sample)});
  }
  const data::Dataset asked = with_pair_samples(dataset(), pairs);
  ASSERT_EQ(asked.samples.size(), kUsers);
  std::vector<std::int32_t> all(kUsers);
  std::iota(all.begin(), all.end(), 0);
  const auto known = find_neighbours(later, samples, context);
  const auto found = find_neighbours(asked, all, context);
  EXPECT_EQ(found.places, known.places);
  EXPECT_EQ(found.scores, known.scores);
  const text::PromptTemplate wording = load_wording(options_.prompt, later);
  PromptBuilder later_builder(later, wording, chat, options_);
  PromptBuilder asked_builder(asked, wording, chat, options_);
  for (std::int32_t i = 0; i < kUsers; ++i) {
    const auto places = found.of(i);
    const std::vector<std::int32_t> similar(places.begin(), places.end());
    const std::string prompt = asked_builder.build(i, text::View::kRerank, similar).input;
    EXPECT_EQ(prompt, later_builder
                          .build(samples[static_cast<std::size_t>(i)], text::View::kRerank, similar)
                          .input);
    EXPECT_NE(prompt.find("Film " + asked.items.name(pairs[static_cast<std::size_t>(i)].item)),
              std::string::npos);
  }
}

// The user's own answer about an item must not stand in the prompt that asks for it.
TEST_F(Recommend, ARatedPairIsPromptedWithoutItsRating) {
  const data::Dataset data = dataset();
  const data::History history = full_history(data, 2);
  const std::int32_t newest = history.item(history.size() - 1);
  const data::Dataset asked = with_pair_samples(dataset(), {{2, newest}});
  options_.data.deduplicate = true;
  const text::Tokenizer tokenizer =
      text::Tokenizer::load(std::string(RALLREC_SOURCE_DIR) + "/tests/fixtures/tiny_tokenizer");
  const text::ChatTemplate chat(tokenizer, {});
  const text::PromptTemplate wording = load_wording(options_.prompt, asked);
  PromptBuilder builder(asked, wording, chat, options_);
  distributed::LocalCommunicator communicator;
  const auto found = find_neighbours(asked, {0}, {options_, communicator, folder_.path()});
  const auto places = found.of(0);
  const std::vector<std::int32_t> similar(places.begin(), places.end());
  const std::regex title("Film " + asked.items.name(newest) + "\\b");
  for (const text::View view : {text::View::kSimple, text::View::kRerank}) {
    const std::string prompt = builder.build(0, view, similar).input;
    const std::sregex_iterator first(prompt.begin(), prompt.end(), title);
    EXPECT_EQ(std::distance(first, {}), 1) << "the question alone: " << prompt;
  }
}

TEST_F(Recommend, UnknownNamesGetTheNearest) {
  const data::Dataset data = dataset();
  EXPECT_EQ(find_user(data, "u3", "--user"), data.users.find("u3"));
  expect_error(ExitCode::kUsage, "--user: user 'u33' is not in the data set; did you mean 'u3'?",
               [&] { find_user(data, "u33", "--user"); });
  distributed::LocalCommunicator communicator;
  const StageContext context{options_, communicator, folder_.path()};
  const std::string path =
      folder_.put("c.jsonl", "{\"item\": \"9\"}\n{\"item\": \"2\"}\n{\"item\": \"9\"}\n");
  EXPECT_EQ(read_candidates(path, data, context),
            (std::vector<std::int32_t>{data.items.find("2"), data.items.find("9")}));
  folder_.put("c.jsonl", "{\"item\": \"9\"}\n{\"item\": \"310\"}\n");
  expect_error(ExitCode::kBadData, "c.jsonl:2:2: key 'item': '310' is not in the data set",
               [&] { read_candidates(path, data, context); });
  folder_.put("c.jsonl", "");
  expect_error(ExitCode::kBadData, "holds no candidate",
               [&] { read_candidates(path, data, context); });
}

}  // namespace
}  // namespace rallrec::pipeline
