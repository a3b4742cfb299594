#include "models/graph/light_gcn.h"

#include <gtest/gtest.h>

#include <cmath>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/models/graph/bipartite_edges.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::models {
namespace {

using rallrec::testing::random_floats;
// Ã as a full matrix of doubles, from degrees.
std::vector<double> dense(const Edges& edges) {
  const std::size_t users = edges.size(), items = edges.front().size(), n = users + items;
  std::vector<double> a(n * n), degree(n);
  for (std::size_t u = 0; u < users; ++u) {
    for (std::size_t i = 0; i < items; ++i) {
      degree[u] += edges[u][i];
      degree[users + i] += edges[u][i];
      a[u * n + users + i] = a[(users + i) * n + u] = edges[u][i];
    }
  }
  for (std::size_t r = 0; r < n; ++r) {
    for (std::size_t c = 0; c < n; ++c) {
      a[r * n + c] /= a[r * n + c] == 0.0 ? 1.0 : std::sqrt(degree[r]) * std::sqrt(degree[c]);
    }
  }
  return a;
}

// Mean of X, ÃX, Ã²X, …, layer by layer.
std::vector<double> mean_of_layers(const std::vector<double>& a, const std::vector<float>& x,
                                   std::size_t width, int layers) {
  const std::size_t n = x.size() / width;
  std::vector<double> level(x.begin(), x.end()), sum(level);
  for (int l = 0; l < layers; ++l) {
    std::vector<double> next(level.size());
    for (std::size_t r = 0; r < n; ++r) {
      for (std::size_t c = 0; c < n; ++c) {
        for (std::size_t k = 0; k < width; ++k) {
          next[r * width + k] += a[r * n + c] * level[c * width + k];
        }
      }
    }
    level = next;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      sum[i] += level[i];
    }
  }
  for (double& value : sum) {
    value /= layers + 1;
  }
  return sum;
}

TEST(NormalisedAdjacency, HasTheWorkedWeights) {
  const Adjacency a = adjacency_of({{true, true}, {false, true}});
  EXPECT_EQ(a.offsets, (std::vector<std::int64_t>{0, 2, 3, 4, 6}));
  EXPECT_EQ(a.neighbours, (std::vector<std::int32_t>{2, 3, 3, 0, 0, 1}));
  const float expected[] = {0.7071f, 0.5f, 0.7071f, 0.7071f, 0.5f, 0.7071f};
  for (std::size_t e = 0; e < 6; ++e) {
    EXPECT_NEAR(a.weights[e], expected[e], 5e-5) << e;
  }
}

// x and the result are [nodes, width].
std::vector<float> propagated(LightGcn& model, const std::vector<float>& x) {
  const auto width = static_cast<std::size_t>(model.width());
  std::vector<float> held;
  for (const std::int32_t node : model.exchange().nodes()) {
    const auto row = x.begin() + static_cast<std::ptrdiff_t>(node * width);
    held.insert(held.end(), row, row + static_cast<std::ptrdiff_t>(width));
  }
  auto input = model.array<float>();
  auto result = model.array<float>();
  auto full = model.array<float>();
  input.assign(held);
  model.propagate(input, result);
  model.gather(result, full);
  return full.host();
}

class LightGcnDepths : public rallrec::testing::DeviceTest<std::pair<int, int>> {};

TEST_P(LightGcnDepths, IsTheMeanOfLayers) {
  const auto [layers, width] = shape();
  const auto edges = random_edges(17, 23);
  const Adjacency adjacency = adjacency_of(edges);
  const auto x = random_floats(40 * width, 3);
  distributed::LocalCommunicator communicator;
  LightGcn model(adjacency, layers, width, {device().queue(), communicator, communicator});
  const std::vector<float> result = propagated(model, x);
  const auto expected = mean_of_layers(dense(edges), x, static_cast<std::size_t>(width), layers);
  ASSERT_EQ(result.size(), expected.size());
  for (std::size_t i = 0; i < result.size(); ++i) {
    ASSERT_NEAR(result[i], expected[i], 2e-6) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Depths, LightGcnDepths,
                         rallrec::testing::on_every_device(std::pair{0, 4}, std::pair{1, 1},
                                                           std::pair{2, 64}, std::pair{3, 7},
                                                           std::pair{6, 33}),
                         rallrec::testing::device_and_number<LightGcnDepths::ParamType>);

// On two ranks every node of the first graph is a neighbour of somebody's: it is gathered. The
// others go by halo.
TEST(LightGcn, BitsDoNotDependOnTheNumberOfRanks) {
  const auto x = random_floats(40 * 5, 3);
  for (const std::uint64_t one_in : {1U, 2U, 12U}) {
    const Adjacency adjacency = adjacency_of(random_edges(17, 23, one_in));
    std::vector<std::vector<float>> results;
    for (const int ranks : {1, 2, 3, 5}) {
      distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
        LightGcn model(adjacency, 3, 5, distributed::cpu_place(communicator));
        const std::vector<float> result = propagated(model, x);
        if (communicator.rank() == communicator.size() - 1) {
          results.push_back(result);
        }
      });
      EXPECT_EQ(results.back(), results.front()) << ranks;
    }
  }
}

}  // namespace
}  // namespace rallrec::models
