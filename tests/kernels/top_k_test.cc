#include "kernels/top_k.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <tuple>
#include <vector>

#include "core/rng.h"
#include "tests/support/device/test_device.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::ThreadCountGuard;

// The parameter is nothing: every test runs on every device.
class TopK : public testing::DeviceTest<int> {
 protected:
  struct Lists {
    std::vector<std::int64_t> offsets;
    std::vector<float> scores;
    std::vector<std::int64_t> recency;  // empty = none
    std::vector<std::int32_t> ids;      // empty = none
  };

  std::vector<std::int32_t> best(const Lists& lists, std::int64_t k) {
    const auto count = static_cast<std::int64_t>(lists.offsets.size()) - 1;
    const auto offsets = on_device(lists.offsets);
    const auto scores = on_device(lists.scores);
    const auto recency = on_device(lists.recency);
    const auto ids = on_device(lists.ids);
    const auto result = empty<std::int32_t>(count * k);
    top_k(queue(),
          {count, offsets.get(), scores.get(), lists.recency.empty() ? nullptr : recency.get(),
           lists.ids.empty() ? nullptr : ids.get()},
          k, result.get());
    return result.host();
  }
};

INSTANTIATE_TEST_SUITE_P(Devices, TopK, testing::on_every_device(0),
                         testing::device_and_number<TopK::ParamType>);

TEST_P(TopK, BreaksTiesByRecencyThenById) {
  const Lists lists{{0, 5}, {1.0f, 2.0f, 2.0f, 2.0f, 0.5f}, {9, 3, 7, 7, 1}, {0, 1, 20, 10, 4}};
  EXPECT_EQ(best(lists, 6), (std::vector<std::int32_t>{3, 2, 1, 0, 4, -1}));
}

TEST_P(TopK, RanksNotANumberLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const Lists lists{{0, 4}, {nan, -1.0f, nan, -std::numeric_limits<float>::infinity()}, {}, {}};
  EXPECT_EQ(best(lists, 4), (std::vector<std::int32_t>{1, 3, 0, 2}));
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

TEST_P(TopK, EqualsRepeatedSelectionOnRaggedLists) {
  Rng rng(4);
  Lists lists{{0}, {}, {}, {}};
  for (std::int64_t length : {0, 1, 3, 40, 7, 0, 129, 2}) {
    for (std::int64_t e = 0; e < length; ++e) {
      lists.scores.push_back(static_cast<float>(rng.next_below(5)));
      lists.recency.push_back(static_cast<std::int64_t>(rng.next_below(4)));
      lists.ids.push_back(static_cast<std::int32_t>(e));
    }
    lists.offsets.push_back(lists.offsets.back() + length);
  }
  const std::int64_t k = 5;
  ThreadCountGuard threads(2);
  const auto got = best(lists, k);
  for (int l = 0; l < 8; ++l) {
    const auto expected = by_selection(lists.scores, lists.recency, lists.ids, lists.offsets[l],
                                       lists.offsets[l + 1], k);
    EXPECT_EQ(std::vector<std::int32_t>(got.begin() + l * k, got.begin() + (l + 1) * k), expected);
  }
}

}  // namespace
}  // namespace rallrec::kernels
