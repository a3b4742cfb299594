#include "data/negative_sampler.h"

#include <gtest/gtest.h>

#include <map>

#include "core/error.h"

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

std::map<std::int32_t, int> counts(const NegativeSampler& sampler, std::int32_t user, int draws) {
  std::map<std::int32_t, int> count;
  for (int edge = 0; edge < draws; ++edge) {
    ++count[sampler.sample(user, 3, edge)];
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
  const NegativeSampler bitmap(graph, 5), search(graph, 5, 0), other_seed(graph, 6);
  int differs_by_seed = 0, differs_by_epoch = 0;
  for (int edge = 0; edge < 500; ++edge) {
    const std::int32_t item = bitmap.sample(0, 1, edge);
    ASSERT_EQ(item, search.sample(0, 1, edge));
    differs_by_seed += item != other_seed.sample(0, 1, edge);
    differs_by_epoch += item != bitmap.sample(0, 2, edge);
  }
  EXPECT_GT(differs_by_seed, 200);
  EXPECT_GT(differs_by_epoch, 200);
}

TEST(NegativeSampler, KnowsUsersWithoutANegative) {
  const CsrGraph graph = small_graph();
  const NegativeSampler sampler(graph, 5);
  EXPECT_TRUE(sampler.has_negative(0));
  EXPECT_FALSE(sampler.has_negative(1));
  EXPECT_THROW(sampler.sample(1, 0, 0), Error);
}

}  // namespace
}  // namespace rallrec::data
