#include "metrics/score_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::metrics {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ScoreKey, OrdersAsTheScores) {
  const std::vector<double> ascending = {-kInfinity, -2.0,   -1e-310,  0.0,
                                         5e-324,     1e-310, 0.5,      std::nextafter(0.5, 1.0),
                                         1.0,        1e300,  kInfinity};
  for (std::size_t i = 0; i + 1 < ascending.size(); ++i) {
    EXPECT_LT(key_of_score(ascending[i]), key_of_score(ascending[i + 1])) << ascending[i];
  }
  EXPECT_EQ(key_of_score(-0.0), key_of_score(0.0));
}

// `distinct` scores, so that parts of the sort are of very different sizes where there are few.
std::vector<KeyedScore> random_scores(std::size_t n, std::uint64_t distinct, double power) {
  Rng rng(n + distinct);
  std::vector<KeyedScore> scores(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double score = std::pow(static_cast<double>(rng.next_below(distinct)) - 2.0, power);
    scores[i] = {key_of_score(score), n - i};
  }
  return scores;
}

// Few values, many, and many of which most lie close together.
constexpr std::pair<std::uint64_t, double> kKinds[] = {
    {1, 1.0}, {3, 1.0}, {1U << 30, 1.0}, {1U << 30, 31.0}, {1U << 30, -3.0}};

TEST(SortScores, EqualsTheStableSortWhateverTheThreads) {
  const rallrec::testing::ThreadCountGuard guard(1);
  for (const std::size_t n : {0U, 1U, 1000U, 32767U, 32768U, 200001U}) {
    for (const auto& [distinct, power] : kKinds) {
      const std::vector<KeyedScore> scores = random_scores(n, distinct, power);
      std::vector<KeyedScore> expected(scores.rbegin(), scores.rend());
      std::stable_sort(expected.begin(), expected.end(),
                       [](const auto& a, const auto& b) { return a.key < b.key; });
      for (const int threads : {1, 3}) {
        set_thread_count(threads);
        KeyedScores sorted(n);
        std::copy(scores.begin(), scores.end(), sorted.data());
        sort_scores(sorted);
        ASSERT_EQ(sorted.size(), n);
        EXPECT_TRUE(std::equal(
            sorted.begin(), sorted.end(), expected.begin(),
            [](const auto& a, const auto& b) { return a.key == b.key && a.tag == b.tag; }))
            << n << " scores, " << distinct << " distinct, " << threads << " threads";
      }
    }
  }
}

}  // namespace
}  // namespace rallrec::metrics
