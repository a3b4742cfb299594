#include "metrics/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "distributed/local_communicator.h"
#include "distributed/thread_communicator.h"
#include "tests/support/random_floats.h"

namespace rallrec::metrics {
namespace {

using rallrec::testing::random_floats;

struct Lists {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> items;
  void add(const std::set<std::int32_t>& row) {
    items.insert(items.end(), row.begin(), row.end());
    offsets.push_back(static_cast<std::int64_t>(items.size()));
  }
  ItemLists view() const { return {offsets.data(), items.data()}; }
};

TEST(FullRanking, GivesTheValuesCountedByHand) {
  // One user whose scores are the item's number; item 5 is masked, so the ranking is 4 3 2 1 0.
  const float user[] = {1.0f};
  const float items[] = {0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
  Lists masked, relevant;
  masked.add({5});
  relevant.add({0, 3, 5});
  distributed::LocalCommunicator communicator;
  const auto m =
      full_ranking({user, items, 1, 6, 1, masked.view(), relevant.view()}, {1, 2, 6}, communicator);
  EXPECT_EQ(m.users, 1);
  EXPECT_DOUBLE_EQ(m.recall[0], 0.0);
  EXPECT_DOUBLE_EQ(m.recall[1], 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(m.recall[2], 2.0 / 3.0);
  const double ideal2 = 1.0 + 1.0 / std::log2(3.0);
  EXPECT_NEAR(m.ndcg[1], 1.0 / std::log2(3.0) / ideal2, 1e-15);
  EXPECT_NEAR(m.ndcg[2], (1.0 / std::log2(3.0) + 1.0 / std::log2(6.0)) / (ideal2 + 0.5), 1e-15);
}

struct Problem {
  std::int64_t users = 700, items = 41, width = 3;
  std::vector<float> user_vectors, item_vectors;
  Lists masked, relevant;
  std::vector<std::set<std::int32_t>> masked_sets, relevant_sets;

  Problem() : user_vectors(random_floats(users * width, 1)) {
    item_vectors = random_floats(items * width, 2);
    Rng rng(3);
    for (std::int64_t u = 0; u < users; ++u) {
      std::set<std::int32_t> train, test;
      for (std::int32_t i = 0; i < items; ++i) {
        const auto draw = rng.next_below(6);
        (draw == 0 ? train : test).insert(draw < 2 && u % 7 != 0 ? i : 0);
      }
      test.erase(0);
      masked_sets.push_back(train);
      relevant_sets.push_back(test);
      masked.add(train);
      relevant.add(test);
    }
  }
  RankingTask task() const {
    return {user_vectors.data(), item_vectors.data(), users, items, width,
            masked.view(),       relevant.view()};
  }
};

// Sorts all unmasked items per user in double.
std::pair<double, double> by_sorting(const Problem& p, std::size_t k) {
  double recall = 0.0, ndcg = 0.0;
  int users = 0;
  for (std::int64_t u = 0; u < p.users; ++u) {
    std::vector<std::pair<double, std::int32_t>> order;
    for (std::int32_t i = 0; i < p.items; ++i) {
      double score = 0.0;
      for (std::int64_t d = 0; d < p.width; ++d) {
        score += double{p.user_vectors[u * p.width + d]} * p.item_vectors[i * p.width + d];
      }
      if (p.masked_sets[u].count(i) == 0) {
        order.emplace_back(-score, i);
      }
    }
    std::sort(order.begin(), order.end());
    const auto& relevant = p.relevant_sets[u];
    if (relevant.empty()) {
      continue;
    }
    ++users;
    double hits = 0.0, gain = 0.0, ideal = 0.0;
    for (std::size_t place = 0; place < k; ++place) {
      const double value = std::log(2.0) / std::log(place + 2.0);
      const bool hit = place < order.size() && relevant.count(order[place].second) != 0;
      hits += hit;
      gain += hit ? value : 0.0;
      ideal += place < relevant.size() ? value : 0.0;
    }
    recall += hits / relevant.size();
    ndcg += gain / ideal;
  }
  return {recall / users, ndcg / users};
}

TEST(FullRanking, EqualsSortingAllItemsOnAnyNumberOfRanks) {
  const Problem p;
  for (const int ranks : {1, 2, 3, 5}) {
    distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
      const auto m = full_ranking(p.task(), {10, 20}, communicator);
      EXPECT_EQ(m.users, 600);
      EXPECT_NEAR(m.recall[0], by_sorting(p, 10).first, 1e-12);
      EXPECT_NEAR(m.ndcg[0], by_sorting(p, 10).second, 1e-12);
      EXPECT_NEAR(m.recall[1], by_sorting(p, 20).first, 1e-12);
      EXPECT_NEAR(m.ndcg[1], by_sorting(p, 20).second, 1e-12);
    });
  }
}

TEST(FullRanking, WhatHasNoVectorCountsAndIsNeverFound) {
  // As by hand above, with item 9 beside 0 and 3, and a second user without a vector.
  const float user[] = {1.0f};
  const float items[] = {0.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
  Lists masked, relevant;
  masked.add({5});
  relevant.add({0, 3, 9});
  relevant.add({2});
  distributed::run_thread_ranks(2, [&](distributed::Communicator& communicator) {
    const auto m = full_ranking({user, items, 1, 6, 1, masked.view(), relevant.view(), 1}, {2, 6},
                                communicator);
    EXPECT_EQ(m.users, 2);
    EXPECT_DOUBLE_EQ(m.recall[0], 1.0 / 3.0 / 2.0);
    EXPECT_DOUBLE_EQ(m.recall[1], 2.0 / 3.0 / 2.0);
    const double ideal = 1.0 + 1.0 / std::log2(3.0) + 0.5;
    EXPECT_NEAR(m.ndcg[1], (1.0 / std::log2(3.0) + 1.0 / std::log2(6.0)) / ideal / 2.0, 1e-15);
  });
}

TEST(FullRanking, IsZeroWhereNobodyHasARelevantItem) {
  const float vectors[] = {1.0f};
  Lists none;
  none.add({});
  distributed::LocalCommunicator communicator;
  const auto m =
      full_ranking({vectors, vectors, 1, 1, 1, none.view(), none.view()}, {10}, communicator);
  EXPECT_EQ(m.users, 0);
  EXPECT_EQ(m.recall[0], 0.0);
}

}  // namespace
}  // namespace rallrec::metrics
