#include "kernels/top_k.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "core/rng.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::ThreadCountGuard;

TEST(TopK, BreaksTiesByRecencyThenById) {
  const std::int64_t offsets[] = {0, 5};
  const float scores[] = {1.0f, 2.0f, 2.0f, 2.0f, 0.5f};
  const std::int64_t recency[] = {9, 3, 7, 7, 1};
  const std::int32_t ids[] = {0, 1, 20, 10, 4};
  std::int32_t best[6];
  top_k({}, {1, offsets, scores, recency, ids}, 6, best);
  EXPECT_EQ(std::vector<std::int32_t>(best, best + 6),
            (std::vector<std::int32_t>{3, 2, 1, 0, 4, -1}));
}

TEST(TopK, RanksNotANumberLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::int64_t offsets[] = {0, 4};
  const float scores[] = {nan, -1.0f, nan, -std::numeric_limits<float>::infinity()};
  std::int32_t best[4];
  top_k({}, {1, offsets, scores, nullptr, nullptr}, 4, best);
  EXPECT_EQ(std::vector<std::int32_t>(best, best + 4), (std::vector<std::int32_t>{1, 3, 0, 2}));
}

// Picks the maximum again and again.
std::vector<std::int32_t> by_selection(const std::vector<float>& scores,
                                       const std::vector<std::int64_t>& recency,
                                       const std::vector<std::int32_t>& ids, std::int64_t first,
                                       std::int64_t last, std::int64_t k) {
  std::vector<bool> taken(scores.size());
  std::vector<std::int32_t> best;
  while (static_cast<std::int64_t>(best.size()) < k) {
    std::int64_t winner = -1;
    const auto key = [&](std::int64_t e) { return std::tuple(scores[e], recency[e], -ids[e]); };
    for (std::int64_t e = first; e < last; ++e) {
      if (!taken[e] && (winner < 0 || key(e) > key(winner))) {
        winner = e;
      }
    }
    if (winner >= 0) {
      taken[winner] = true;
    }
    best.push_back(winner < 0 ? -1 : static_cast<std::int32_t>(winner - first));
  }
  return best;
}

TEST(TopK, EqualsRepeatedSelectionOnRaggedLists) {
  Rng rng(4);
  std::vector<std::int64_t> offsets{0}, recency;
  std::vector<float> scores;
  std::vector<std::int32_t> ids;
  for (std::int64_t length : {0, 1, 3, 40, 7, 0, 129, 2}) {
    for (std::int64_t e = 0; e < length; ++e) {
      scores.push_back(static_cast<float>(rng.next_below(5)));
      recency.push_back(static_cast<std::int64_t>(rng.next_below(4)));
      ids.push_back(static_cast<std::int32_t>(e));
    }
    offsets.push_back(offsets.back() + length);
  }
  const std::int64_t k = 5;
  std::vector<std::int32_t> best(8 * k, -7);
  ThreadCountGuard threads(2);
  top_k({}, {8, offsets.data(), scores.data(), recency.data(), ids.data()}, k, best.data());
  for (int l = 0; l < 8; ++l) {
    const auto expected = by_selection(scores, recency, ids, offsets[l], offsets[l + 1], k);
    EXPECT_EQ(std::vector<std::int32_t>(best.begin() + l * k, best.begin() + (l + 1) * k),
              expected);
  }
}

}  // namespace
}  // namespace rallrec::kernels
