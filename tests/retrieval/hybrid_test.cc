#include "retrieval/hybrid.h"

#include <gtest/gtest.h>

#include <cmath>

#include "distributed/local_communicator.h"
#include "retrieval/retriever.h"
#include "tests/support/one_user.h"

namespace rallrec::retrieval {
namespace {

using Places = std::vector<std::int32_t>;

Neighbours lists(const std::vector<Places>& places, float score) {
  Neighbours neighbours;
  for (std::size_t i = 0; i < places.size(); ++i) {
    neighbours.add(static_cast<std::int32_t>(10 * i), places[i],
                   std::vector<float>(places[i].size(), score));
  }
  return neighbours;
}

TEST(JoinHalves, TakesHalfByTheFirstAndFillsUpByTheSecondWithoutRepeats) {
  const Neighbours text = lists({{7, 3, 1, 0, 2}, {4, 2}}, 0.5f);
  const Neighbours graph = lists({{3, 6, 5, 7, 4}, {2, 4}}, 0.25f);
  const Neighbours five = join_halves(text, graph, 5);
  EXPECT_EQ(five.samples, (Places{0, 10}));
  EXPECT_EQ(five.places, (Places{7, 3, 1, 6, 5, 4, 2}));
  EXPECT_EQ(five.offsets, (std::vector<std::int64_t>{0, 5, 7}));
  EXPECT_EQ(five.scores, (std::vector<float>{0.5f, 0.5f, 0.5f, 0.25f, 0.25f, 0.5f, 0.5f}));
  EXPECT_EQ(join_halves(text, graph, 4).places, (Places{7, 3, 6, 5, 4, 2}));
  EXPECT_EQ(join_halves(text, graph, 1).places, (Places{7, 4}));
  EXPECT_EQ(join_halves(graph, text, 3).places, (Places{3, 6, 7, 2, 4}));
}

TEST(JoinSoftmaxes, AveragesTheSharesOfEachList) {
  // Lists of 2, 0 and 1 values.
  std::vector<float> scores = {1.0f, 0.0f, 7.0f};
  join_softmaxes({0, 2, 2, 3}, {0.0f, 2.0f, -7.0f}, scores);
  const double a = std::exp(1.0) / (std::exp(1.0) + 1.0);
  const double b = 1.0 / (1.0 + std::exp(2.0));
  EXPECT_NEAR(scores[0], 0.5 * a + 0.5 * b, 1e-7);
  EXPECT_NEAR(scores[1], 1.0 - 0.5 * a - 0.5 * b, 1e-7);
  EXPECT_EQ(scores[2], 1.0f);
}

// By the first vectors alone item 1 leads, by the second item 2; item 3 is second in both.
TEST(Retriever, RanksByBothSoftmaxesWhereThereAreOtherVectors) {
  const data::Dataset dataset = rallrec::testing::one_user(0, 5, {1, 2, 3, 4, 0});
  const std::vector<float> text = {1.0f, 3.0f, 0.0f, 2.5f, 0.0f};
  const std::vector<float> graph = {1.0f, 0.0f, 3.0f, 2.5f, 0.0f};
  RetrievalTask task;
  task.dataset = &dataset;
  task.samples = {dataset.samples.size() - 1};
  task.vectors = {text.data(), 1};
  task.k = 2;
  distributed::LocalCommunicator communicator;
  EXPECT_EQ(retrieve_neighbours(task, communicator).places, (Places{0, 2}));
  task.other_vectors = {graph.data(), 1};
  const Neighbours both = retrieve_neighbours(task, communicator);
  EXPECT_EQ(both.places, (Places{2, 1}));
  const double sum = std::exp(3.0) + std::exp(2.5) + 2.0;
  EXPECT_NEAR(both.scores[0], std::exp(2.5) / sum, 1e-6);
  EXPECT_NEAR(both.scores[1], 0.5 * (std::exp(3.0) + 1.0) / sum, 1e-6);
}

}  // namespace
}  // namespace rallrec::retrieval
