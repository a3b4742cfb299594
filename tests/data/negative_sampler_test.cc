#include "data/negative_sampler.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>
#include <vector>

namespace rallrec::data {
namespace {

// User 0 has items 0, 2, 4, 6 of 7; user 1 has all; user 2 has none.
CsrGraph small_graph() {
  EdgeList edges;
  for (const std::int32_t item : {0, 2, 4, 6}) {
    edges.add(0, item);
  }
  for (std::int32_t item = 0; item < 7; ++item) {
    edges.add(1, item);
  }
  return make_csr_graph(edges, 3, 7);
}

// The negatives of edges 0 … draws - 1, all of `user`.
std::vector<std::int32_t> draw(const NegativeSampler& sampler, std::int32_t user,
                               std::uint32_t epoch, int draws) {
  const std::vector<std::int32_t> users(static_cast<std::size_t>(draws), user);
  std::vector<std::uint32_t> edges(users.size());
  std::iota(edges.begin(), edges.end(), 0U);
  std::vector<std::int32_t> negatives(users.size());
  sampler.draw(epoch, users.data(), edges.data(), draws, 0, negatives.data());
  return negatives;
}

std::map<std::int32_t, int> counts(const NegativeSampler& sampler, std::int32_t user, int draws) {
  std::map<std::int32_t, int> count;
  for (const std::int32_t item : draw(sampler, user, 3, draws)) {
    ++count[item];
  }
  return count;
}

TEST(NegativeSampler, IsUniformOverTheItemsWithoutAnEdge) {
  const CsrGraph graph = small_graph();
  const auto count = counts(NegativeSampler(graph, 5), 0, 30000);
  ASSERT_EQ(count.size(), 3u);
  for (const std::int32_t item : {1, 3, 5}) {
    EXPECT_NEAR(count.at(item), 10000, 350) << item;
  }
  EXPECT_EQ(counts(NegativeSampler(graph, 5), 2, 2000).size(), 7u);
}

TEST(NegativeSampler, DrawsTheSameWithoutABitmap) {
  const CsrGraph graph = small_graph();
  const NegativeSampler bitmap(graph, 5), search(graph, 5, {}, 0), other_seed(graph, 6);
  const auto items = draw(bitmap, 0, 1, 500), of_seed = draw(other_seed, 0, 1, 500),
             of_epoch = draw(bitmap, 0, 2, 500);
  EXPECT_EQ(items, draw(search, 0, 1, 500));
  int differs_by_seed = 0, differs_by_epoch = 0;
  for (std::size_t edge = 0; edge < items.size(); ++edge) {
    differs_by_seed += items[edge] != of_seed[edge];
    differs_by_epoch += items[edge] != of_epoch[edge];
  }
  EXPECT_GT(differs_by_seed, 200);
  EXPECT_GT(differs_by_epoch, 200);
}

TEST(NegativeSampler, KnowsUsersWithoutANegative) {
  const CsrGraph graph = small_graph();
  const NegativeSampler sampler(graph, 5);
  EXPECT_TRUE(sampler.has_negative(0));
  EXPECT_FALSE(sampler.has_negative(1));
}

}  // namespace
}  // namespace rallrec::data
