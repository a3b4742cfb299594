#include "text/reranker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "core/rng.h"
#include "tests/support/expect_error.h"

namespace rallrec::text {
namespace {

using Items = std::vector<std::int32_t>;
using rallrec::testing::expect_error;

RerankOptions options(std::int64_t k, Ratio alpha, RerankCombine combine = RerankCombine::kMax) {
  RerankOptions result;
  result.k = k;
  result.alpha = alpha;
  result.combine = combine;
  return result;
}

// The history t1 … t8, oldest first.
const Items kSimilar = {2, 5, 1, 6, 3, 4, 7, 8};
const Items kNewest = {8, 7, 6, 5, 4, 3, 2, 1};

TEST(Reranker, FollowsTheWorkedExample) {
  EXPECT_EQ(rerank(kSimilar, kNewest, options(4, {2, 3})), (Items{2, 5, 8, 1}));
  EXPECT_EQ(rerank(kSimilar, kNewest, options(4, {2, 3}, RerankCombine::kSum)),
            (Items{2, 5, 8, 6}));
}

TEST(Reranker, CanKeepTimeOrder) {
  RerankOptions o = options(4, {2, 3});
  o.order = RerankOrder::kTime;
  EXPECT_EQ(rerank(kSimilar, kNewest, o), (Items{1, 2, 5, 8}));
}

// With separate channels the share of the embedding channel in the K best is known.
TEST(Reranker, SplitsSeparateChannelsByAlpha) {
  Items similar(30);
  Items newest(30);
  std::iota(similar.begin(), similar.end(), 0);
  std::iota(newest.begin(), newest.end(), 100);
  const auto from_embedding = [&](std::int64_t k, Ratio alpha) {
    const Items items = rerank(similar, newest, options(k, alpha));
    EXPECT_EQ(items.size(), static_cast<std::size_t>(k));
    return std::count_if(items.begin(), items.end(), [](auto i) { return i < 100; });
  };
  EXPECT_EQ(from_embedding(30, {1, 2}), 15);
  EXPECT_EQ(from_embedding(30, {2, 3}), 20);
  EXPECT_EQ(from_embedding(30, {4, 5}), 24);
  EXPECT_EQ(from_embedding(15, {1, 2}), 8);
  EXPECT_EQ(from_embedding(15, {2, 3}), 10);
  EXPECT_EQ(from_embedding(15, {4, 5}), 12);
  EXPECT_EQ(from_embedding(15, {1, 1}), 15);
  EXPECT_EQ(from_embedding(15, {0, 1}), 0);
}

TEST(Reranker, KeepsShortHistoriesWhole) {
  EXPECT_EQ(rerank({}, {}, options(4, {2, 3})), Items{});
  EXPECT_EQ(rerank({7}, {7}, options(4, {2, 3})), Items{7});
  Items all = rerank(kSimilar, kNewest, options(30, {2, 3}));
  std::sort(all.begin(), all.end());
  EXPECT_EQ(all, (Items{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(rerank(kSimilar, kNewest, options(0, {2, 3})), Items{});
}

// Exact rational scores by 128-bit cross multiplication, against the doubles of the code under
// test.
TEST(Reranker, AgreesWithExactArithmetic) {
  Rng rng(5);
  for (int round = 0; round < 500; ++round) {
    const std::int64_t k = 1 + static_cast<std::int64_t>(rng.next_below(12));
    const std::int64_t den = 1 + static_cast<std::int64_t>(rng.next_below(7));
    const Ratio alpha{static_cast<std::int64_t>(rng.next_below(den + 1)), den};
    const auto n = static_cast<std::int32_t>(rng.next_below(20));
    Items similar;
    for (std::int32_t i = 0; i < n; ++i) {
      similar.push_back(static_cast<std::int32_t>(permuted_index(round, 0, i, n)));
    }
    Items newest(n);
    std::iota(newest.rbegin(), newest.rend(), 0);
    const bool sum = round % 2 == 0;

    struct Exact {
      std::int32_t item;
      __int128 top;
      __int128 bottom;
      bool embedding;
      std::int64_t rank;
    };
    std::vector<Exact> exact;
    for (std::int32_t i = 0; i < n; ++i) {
      std::int64_t e = std::find(similar.begin(), similar.end(), i) - similar.begin() + 1;
      std::int64_t t = n - i;
      e = e > k ? 0 : e;
      t = t > k ? 0 : t;
      const std::int64_t a = alpha.numerator;
      const std::int64_t b = den - a;
      if (e == 0 && t == 0) {
        continue;
      }
      const bool embedding = e > 0 && (t == 0 || sum || a * t >= b * e);
      if (e > 0 && t > 0 && sum) {
        exact.push_back({i, a * t + b * e, e * t, true, e});
      } else {
        exact.push_back({i, embedding ? a : b, embedding ? e : t, embedding, embedding ? e : t});
      }
    }
    std::sort(exact.begin(), exact.end(), [](const Exact& x, const Exact& y) {
      const __int128 left = x.top * y.bottom;
      const __int128 right = y.top * x.bottom;
      if (left != right) return left > right;
      if (x.embedding != y.embedding) return x.embedding;
      return x.rank != y.rank ? x.rank < y.rank : x.item > y.item;
    });
    Items expected;
    for (const Exact& e : exact) {
      if (expected.size() < static_cast<std::size_t>(k)) expected.push_back(e.item);
    }
    ASSERT_EQ(
        rerank(similar, newest, options(k, alpha, sum ? RerankCombine::kSum : RerankCombine::kMax)),
        expected)
        << "round " << round;
  }
}

TEST(Reranker, BetaFlattensOrSharpens) {
  // beta 0: position does not matter, so the channel alone decides; ties by rank.
  RerankOptions flat = options(3, {1, 2});
  flat.beta = 0.0;
  EXPECT_EQ(rerank({1, 2, 3}, {9, 8, 7}, flat), (Items{1, 2, 3}));
  // beta 2: .8/4 = .2 at rank 2 falls level with .2/1, embedding first.
  RerankOptions sharp = options(4, {4, 5});
  sharp.beta = 2.0;
  EXPECT_EQ(rerank({1, 2, 3}, {9, 8, 7}, sharp), (Items{1, 2, 9, 3}));
}

TEST(Ratio, IsReadExactly) {
  const auto equals = [](const std::string& text, std::int64_t a, std::int64_t b) {
    const Ratio ratio = ratio_from(text, "prompt.rerank_alpha");
    EXPECT_EQ(ratio.numerator * b, a * ratio.denominator) << text;
  };
  equals("2/3", 2, 3);
  equals("0.65", 13, 20);
  equals("1", 1, 1);
  equals("0", 0, 1);
  equals("1.0", 1, 1);
  for (const char* text : {"", "3/2", "1/0", "-1/2", "1.5", "2/3/4", "a", "0.x", "1e-1", " 1/2",
                           "99999999999/99999999999", "0.1234567891"}) {
    expect_error(ExitCode::kUsage, "prompt.rerank_alpha",
                 [&] { ratio_from(text, "prompt.rerank_alpha"); });
  }
}

TEST(RerankNames, AreChecked) {
  EXPECT_EQ(rerank_combine_from("sum"), RerankCombine::kSum);
  EXPECT_EQ(rerank_order_from("time"), RerankOrder::kTime);
  expect_error(ExitCode::kUsage, "rerank_combine", [] { rerank_combine_from("mean"); });
  expect_error(ExitCode::kUsage, "rerank_order", [] { rerank_order_from("rank"); });
}

}  // namespace
}  // namespace rallrec::text
