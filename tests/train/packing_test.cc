#include "train/packing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "core/rng.h"

namespace rallrec::train {
namespace {

std::int64_t tokens_of(const std::vector<std::int64_t>& members,
                       const std::vector<std::int64_t>& lengths) {
  std::int64_t sum = 0;
  for (const std::int64_t member : members) {
    sum += lengths[member];
  }
  return sum;
}

std::vector<std::int64_t> random_lengths(std::int64_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<std::int64_t> lengths;
  for (std::int64_t i = 0; i < count; ++i) {
    lengths.push_back(1 + static_cast<std::int64_t>(rng.next_below(700)));
  }
  return lengths;
}

TEST(PackBalanced, PlacesEveryPromptOnceWithinTheBudget) {
  for (const std::int64_t count : {0, 1, 7, 8, 9, 64, 257}) {
    const auto lengths = random_lengths(count, 5);
    const auto packed = pack_balanced(lengths, 1000, {1.0, 0.001});
    EXPECT_EQ(packed.size() % kMicroBatchMultiple, 0U);
    EXPECT_GE(packed.size(), 8U);
    std::vector<std::int64_t> seen;
    for (const auto& members : packed) {
      EXPECT_LE(tokens_of(members, lengths), 1000);
      EXPECT_TRUE(std::is_sorted(members.begin(), members.end()));
      seen.insert(seen.end(), members.begin(), members.end());
    }
    std::sort(seen.begin(), seen.end());
    std::vector<std::int64_t> all(count);
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(seen, all) << count;
  }
}

// The rule in plain words: longest first, each to the cheapest bin with room, the first of equals.
bool fits_into(std::size_t count, const std::vector<std::int64_t>& lengths, std::int64_t budget,
               const PackingCost& cost, std::vector<std::int64_t>& tokens) {
  std::vector<std::int64_t> sorted = lengths;
  std::sort(sorted.rbegin(), sorted.rend());
  std::vector<double> costs(count, 0.0);
  tokens.assign(count, 0);
  for (const std::int64_t length : sorted) {
    std::size_t best = count;
    for (std::size_t bin = 0; bin < count; ++bin) {
      const bool room = tokens[bin] == 0 || tokens[bin] + length <= budget;
      best = room && (best == count || costs[bin] < costs[best]) ? bin : best;
    }
    if (best == count) {
      return false;
    }
    tokens[best] += length;
    costs[best] += cost.of(length);
  }
  return true;
}

TEST(PackBalanced, TakesTheFewestBinsOfTheMultipleAndFillsThemByTheRule) {
  const PackingCost cost{1.0, 0.01};
  for (const std::int64_t budget : {700, 1500, 2500}) {
    for (const std::int64_t count : {3, 40, 200}) {
      const auto lengths = random_lengths(count, static_cast<std::uint64_t>(budget + count));
      std::vector<std::int64_t> want;
      std::size_t bins = kMicroBatchMultiple;
      while (!fits_into(bins, lengths, budget, cost, want)) {
        bins += kMicroBatchMultiple;
      }
      std::vector<std::int64_t> got;
      for (const auto& members : pack_balanced(lengths, budget, cost)) {
        got.push_back(tokens_of(members, lengths));
      }
      std::sort(got.begin(), got.end());
      std::sort(want.begin(), want.end());
      EXPECT_EQ(got, want) << budget << " " << count;
    }
  }
}

TEST(PackBalanced, BalancesTheCostOfAttentionToo) {
  const auto lengths = random_lengths(256, 11);
  const PackingCost cost{100.0, 1.0};
  const auto packed = pack_balanced(lengths, 4096, cost);
  double least = 1e300;
  double most = 0.0;
  for (const auto& members : packed) {
    double sum = 0.0;
    for (const std::int64_t member : members) {
      sum += cost.of(lengths[member]);
    }
    least = std::min(least, sum);
    most = std::max(most, sum);
  }
  EXPECT_LT(most / least, 1.15);
}

// Each rank runs a contiguous part of the list.
std::vector<std::int64_t> tokens_per_rank(const std::vector<std::vector<std::int64_t>>& packed,
                                          const std::vector<std::int64_t>& lengths,
                                          std::size_t ranks) {
  std::vector<std::int64_t> tokens(ranks, 0);
  for (std::size_t i = 0; i < packed.size(); ++i) {
    tokens[i * ranks / packed.size()] += tokens_of(packed[i], lengths);
  }
  return tokens;
}

TEST(PackBalanced, RanksShareAStepOfFewPrompts) {
  for (const std::size_t prompts : {2, 4, 8, 16}) {
    const std::vector<std::int64_t> lengths(prompts, 60);
    const auto packed = pack_balanced(lengths, 2048, {1.0, 0.0});
    for (const std::size_t ranks : {2, 4, 8}) {
      const auto share = static_cast<std::int64_t>(60 * prompts / ranks);
      const std::vector<std::int64_t> tokens = tokens_per_rank(packed, lengths, ranks);
      for (const std::int64_t mine : tokens) {
        EXPECT_EQ(mine, prompts < ranks ? std::min<std::int64_t>(mine, 60) : share);
      }
    }
  }
  const auto lengths = random_lengths(8, 5);
  const auto tokens = tokens_per_rank(pack_balanced(lengths, 1000, {1.0, 0.0}), lengths, 2);
  const auto [least, most] = std::minmax_element(tokens.begin(), tokens.end());
  EXPECT_LT(static_cast<double>(*most) / static_cast<double>(*least), 1.35);
}

TEST(PackBalanced, APromptOverTheBudgetStandsAlone) {
  const std::vector<std::int64_t> lengths = {5000, 10, 10, 10};
  const auto packed = pack_balanced(lengths, 100, {1.0, 0.0});
  ASSERT_EQ(packed.size(), 8U);
  EXPECT_EQ(packed[0], std::vector<std::int64_t>{0});
}

TEST(PackBalanced, UsesAsFewMicroBatchesAsFit) {
  EXPECT_EQ(pack_balanced(std::vector<std::int64_t>(16, 100), 200, {1.0, 0.0}).size(), 8U);
  EXPECT_EQ(pack_balanced(std::vector<std::int64_t>(17, 100), 200, {1.0, 0.0}).size(), 16U);
}

TEST(PackingCost, CountsTheWeightsOfALayer) {
  models::llm::LlmConfig config;
  config.hidden_size = 8;
  config.intermediate_size = 20;
  config.heads = 4;
  config.kv_heads = 2;
  config.head_dim = 3;
  // q 8×12, k and v 8×6 each, o 12×8, gate, up, down 8×20 each.
  EXPECT_DOUBLE_EQ(packing_cost(config).per_token, 96 + 48 + 48 + 96 + 480);
  // Scores and values: 2 · 12 multiply-adds for each of n² / 2 pairs.
  EXPECT_DOUBLE_EQ(packing_cost(config).per_token_pair, 12);
  EXPECT_DOUBLE_EQ(packing_cost(config).of(10), 7680 + 1200);
}

TEST(PackInOrder, FillsEachBatchAsFarAsItGoes) {
  EXPECT_EQ(pack_in_order({}, 10), (std::vector<std::int64_t>{0}));
  EXPECT_EQ(pack_in_order({4, 6, 1, 30, 2, 3}, 10), (std::vector<std::int64_t>{0, 2, 3, 4, 6}));
  EXPECT_EQ(pack_in_order({30}, 10), (std::vector<std::int64_t>{0, 1}));
}

TEST(SplitByCost, CutsAtNearlyEqualCost) {
  EXPECT_EQ(split_by_cost({}, 2), (std::vector<std::int64_t>{0, 0, 0}));
  EXPECT_EQ(split_by_cost({1, 1, 1, 1}, 2), (std::vector<std::int64_t>{0, 2, 4}));
  EXPECT_EQ(split_by_cost({3, 1, 1, 1}, 2), (std::vector<std::int64_t>{0, 1, 4}));
  EXPECT_EQ(split_by_cost({1, 1, 1}, 1), (std::vector<std::int64_t>{0, 3}));
  EXPECT_EQ(split_by_cost({1}, 4).back(), 1);
}

}  // namespace
}  // namespace rallrec::train
