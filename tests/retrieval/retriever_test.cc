#include "retrieval/retriever.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "retrieval/embedding_mixture.h"
#include "tests/support/one_user.h"
#include "tests/support/random_floats.h"

namespace rallrec::retrieval {
namespace {

using rallrec::testing::random_floats;

TEST(EmbeddingMixture, GivesTheWorkedValueOfEquation7) {
  const float text[] = {3.0f, 4.0f, 0.0f, 1.0f};
  const float colla[] = {1.0f, 0.0f, 0.0f, 2.0f};
  const auto v = mix_embeddings({{text, 2}, {colla, 2}}, 2);
  EXPECT_NEAR(v[0] * v[4] + v[1] * v[5] + v[2] * v[6] + v[3] * v[7], 0.8, 1e-7);
}

TEST(EmbeddingMixture, DividesABlockByItsLargestNormWhereAsked) {
  const float text[] = {3.0f, 4.0f, 0.0f, 1.0f};
  const float colla[] = {1.0f, 0.0f, 0.0f, 2.0f};
  const auto v = mix_embeddings({{text, 2}, {colla, 2}}, 2, BlockScale::kLargestNorm);
  EXPECT_NEAR(v[0] * v[4] + v[1] * v[5] + v[2] * v[6] + v[3] * v[7], 0.16, 1e-7);
  const float nothing[] = {0.0f, 0.0f};
  EXPECT_EQ(mix_embeddings({{nothing, 1}}, 2, BlockScale::kLargestNorm),
            (std::vector<float>{0.0f, 0.0f}));
}

TEST(EmbeddingMixture, KeepsZeroRowsZeroAndOthersOfLengthOne) {
  const auto a = random_floats(3 * 5, 1);
  std::vector<float> b = random_floats(3 * 2, 2, 1e-20f);
  b[2] = b[3] = 0.0f;
  const auto v = mix_embeddings({{a.data(), 5}, {b.data(), 2}}, 3);
  ASSERT_EQ(v.size(), 21u);
  for (int item = 0; item < 3; ++item) {
    double first = 0.0, second = 0.0;
    for (int k = 0; k < 7; ++k) {
      (k < 5 ? first : second) += double{v[item * 7 + k]} * v[item * 7 + k];
    }
    EXPECT_NEAR(first, 1.0, 1e-6);
    EXPECT_NEAR(second, item == 1 ? 0.0 : 1.0, 1e-6);
  }
}

// Items 0 … 9.
data::Dataset one_user(const std::vector<int>& items) {
  return rallrec::testing::one_user(0, 10, items);
}

Neighbours retrieve_last(const data::Dataset& dataset, const std::vector<float>& values,
                         std::int64_t k, bool exclude_target) {
  RetrievalTask task;
  task.dataset = &dataset;
  task.samples = {dataset.samples.size() - 1};
  task.vectors = {values.data(), 1};
  task.k = k;
  task.exclude_target = exclude_target;
  distributed::LocalCommunicator communicator;
  return retrieve_neighbours(task, communicator);
}

TEST(Retriever, TakesEachItemOnceAtItsNewestAndTiesToTheNewer) {
  // Places:                          0  1  2  3  4  5  6 | target 1
  const data::Dataset dataset = one_user({2, 3, 1, 2, 4, 5, 0, 1});
  // Item values: 2 and 5 tie at the top.
  const std::vector<float> values = {-1.0f, 1.0f, 3.0f, 0.5f, 2.0f, 3.0f, 0, 0, 0, 0};
  const auto with_target = retrieve_last(dataset, values, 10, false);
  EXPECT_EQ(with_target.places, (std::vector<std::int32_t>{5, 3, 4, 2, 1, 6}));
  EXPECT_EQ(with_target.scores, (std::vector<float>{3.0f, 3.0f, 2.0f, 1.0f, 0.5f, -1.0f}));
  const auto without = retrieve_last(dataset, values, 3, true);
  EXPECT_EQ(without.places, (std::vector<std::int32_t>{5, 3, 4}));
  const auto all_without = retrieve_last(dataset, values, 10, true);
  EXPECT_EQ(all_without.places, (std::vector<std::int32_t>{5, 3, 4, 1, 6}));
}

TEST(Retriever, TakesACandidateForTheRowThatStandsForIt) {
  // Places:                          0  1  2  3 | target 1
  const data::Dataset dataset = one_user({2, 3, 4, 5, 1});
  const std::vector<float> values = {0, 1.0f, 9.0f, 2.0f, 7.0f, 3.0f, 8.0f, 0, 0, 0};
  RetrievalTask task;
  task.dataset = &dataset;
  task.samples = {dataset.samples.size() - 1};
  task.vectors = {values.data(), 1};
  task.k = 4;
  distributed::LocalCommunicator communicator;
  EXPECT_EQ(retrieve_neighbours(task, communicator).places,
            (std::vector<std::int32_t>{0, 2, 3, 1}));
  task.row_of = {1, 2, 3, 4, 5, -1, 7, 8, 9, 0};
  const Neighbours shifted = retrieve_neighbours(task, communicator);
  EXPECT_EQ(shifted.places, (std::vector<std::int32_t>{1, 2, 0}));
  EXPECT_EQ(shifted.scores, (std::vector<float>{7.0f, 3.0f, 2.0f}));
}

data::Dataset many_users() {
  data::RawData raw;
  raw.source = "made up";
  Rng rng(6);
  for (int item = 0; item < 50; ++item) {
    raw.items.add(std::to_string(item));
  }
  for (int row = 0; row < 900; ++row) {
    const auto user = static_cast<std::int32_t>(rng.next_below(12));
    raw.interactions.user.push_back(raw.users.add(std::to_string(user)));
    raw.interactions.item.push_back(static_cast<std::int32_t>(rng.next_below(50)));
    raw.interactions.rating.push_back(3.0f);
    raw.interactions.timestamp.push_back(row);
  }
  return build_dataset(std::move(raw), {});
}

// The k best places of one sample by a full sort in double.
std::vector<std::int32_t> by_sorting(const RetrievalTask& task, std::int32_t sample) {
  const data::Dataset& d = *task.dataset;
  const std::int32_t target = d.sample_item(sample);
  std::map<std::int32_t, std::int32_t> newest;
  const auto rows = d.timelines.of(d.sample_user(sample));
  for (std::int32_t place = 0; place < d.samples.position[sample]; ++place) {
    newest[d.interactions.item[rows[place]]] = place;
  }
  std::vector<std::pair<double, std::int32_t>> order;
  for (const auto& [item, place] : newest) {
    double score = 0.0;
    const std::int64_t width = task.vectors.width;
    for (std::int64_t k = 0; k < width; ++k) {
      score +=
          double{task.vectors.values[item * width + k]} * task.vectors.values[target * width + k];
    }
    if (item != target) {
      order.emplace_back(-score, -place);
    }
  }
  std::sort(order.begin(), order.end());
  std::vector<std::int32_t> places;
  for (std::size_t r = 0; r < order.size() && r < static_cast<std::size_t>(task.k); ++r) {
    places.push_back(-order[r].second);
  }
  return places;
}

TEST(Retriever, EqualsAFullSortOnAnyNumberOfRanks) {
  const data::Dataset dataset = many_users();
  const auto vectors = random_floats(50 * 9, 3);
  RetrievalTask task;
  task.dataset = &dataset;
  for (std::int32_t sample = 0; sample < dataset.samples.size(); sample += 2) {
    task.samples.push_back(sample);
  }
  task.vectors = {vectors.data(), 9};
  task.k = 7;
  task.exclude_target = true;
  ASSERT_GT(task.samples.size(), 300u);
  for (const int ranks : {1, 2, 3}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const Neighbours found = retrieve_neighbours(task, communicator);
      ASSERT_EQ(found.samples, task.samples);
      for (const std::int32_t sample : task.samples) {
        const auto places = found.of(sample);
        ASSERT_EQ(std::vector<std::int32_t>(places.begin(), places.end()), by_sorting(task, sample))
            << sample;
      }
    });
  }
}

TEST(Retriever, AcceptsMoreRanksThanSamples) {
  const data::Dataset dataset = many_users();
  const auto vectors = random_floats(50, 3);
  RetrievalTask task;
  task.dataset = &dataset;
  task.samples = {4};
  task.vectors = {vectors.data(), 1};
  task.k = 2;
  distributed::run_thread_ranks(3, [&](distributed::Communicator& communicator) {
    const Neighbours found = retrieve_neighbours(task, communicator);
    EXPECT_EQ(found.samples, task.samples);
    EXPECT_EQ(found.places.size(), 2u);
  });
}

}  // namespace
}  // namespace rallrec::retrieval
