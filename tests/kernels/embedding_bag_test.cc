#include "kernels/embedding_bag.h"

#include <gtest/gtest.h>

#include <vector>

#include "tests/support/exact_sums.h"
#include "tests/support/expect_error.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::ExactSums;
using rallrec::testing::random_floats;
using rallrec::testing::ThreadCountGuard;
using Values = std::vector<float>;

constexpr std::int64_t kRows = 11;

// Bag b holds b % 4 entries, so every fourth is empty.
struct Case {
  explicit Case(const BagShape& of) : s(of), table(random_floats(kRows * s.stride, 1)) {
    for (std::int64_t b = 0; b < s.bags; ++b) {
      for (std::int64_t e = 0; e < b % 4; ++e) {
        ids.push_back(static_cast<std::int32_t>((7 * b + 3 * e) % kRows));
      }
      offsets.push_back(static_cast<std::int64_t>(ids.size()));
    }
    weights = random_floats(static_cast<std::int64_t>(ids.size()), 2);
    dy = random_floats(s.bags * s.columns, 3);
  }
  Bags bags() const { return {offsets.data(), ids.data(), weights.data()}; }

  BagShape s;
  Values table, weights, dy;
  std::vector<std::int64_t> offsets = {0};
  std::vector<std::int32_t> ids;
};

class EmbeddingBag : public ::testing::TestWithParam<BagShape> {};

TEST_P(EmbeddingBag, BothPassesFollowTheFormula) {
  const Case c(GetParam());
  Values y(c.dy.size(), 9.0F);
  Values dtable(c.table.size(), 0.5F);
  embedding_bag({}, c.s, c.bags(), c.table.data(), y.data());
  embedding_bag_backward({}, c.s, c.bags(), c.dy.data(), dtable.data());
  ExactSums want(y.size());
  ExactSums dwant(dtable.size());
  for (std::size_t i = 0; i < dtable.size(); ++i) {
    dwant.add(i, 0.5);
  }
  for (std::int64_t b = 0; b < c.s.bags; ++b) {
    for (std::int64_t e = c.offsets[b]; e < c.offsets[b + 1]; ++e) {
      for (std::int64_t k = 0; k < c.s.columns; ++k) {
        const std::int64_t at = c.ids[e] * c.s.stride + k;
        want.add(b * c.s.columns + k, double{c.weights[e]} * c.table[at]);
        dwant.add(at, double{c.weights[e]} * c.dy[b * c.s.columns + k]);
      }
    }
  }
  expect_near(y, want, "y");
  expect_near(dtable, dwant, "dtable");
}

TEST_P(EmbeddingBag, BitsDoNotDependOnThreads) {
  const Case c(GetParam());
  Values one(c.dy.size());
  Values two(c.dy.size());
  embedding_bag({}, c.s, c.bags(), c.table.data(), one.data());
  const ThreadCountGuard threads(2);
  embedding_bag({}, c.s, c.bags(), c.table.data(), two.data());
  EXPECT_EQ(one, two);
}

// Strides beyond the columns: an embedding with a first-order weight behind it, and that weight.
INSTANTIATE_TEST_SUITE_P(Shapes, EmbeddingBag,
                         ::testing::Values(BagShape{0, 4, 4}, BagShape{5, 0, 3}, BagShape{9, 1, 1},
                                           BagShape{600, 1, 17}, BagShape{600, 16, 17},
                                           BagShape{13, 8, 8}, BagShape{14, 21, 25}));

TEST(EmbeddingBagChecks, RefusesNegativeSizesAShortStrideAndCuda) {
  float v = 0.0F;
  EXPECT_THROW(embedding_bag({}, {-1, 1, 1}, {}, &v, &v), Error);
  EXPECT_THROW(embedding_bag({}, {1, 2, 1}, {}, &v, &v), Error);
  EXPECT_THROW(embedding_bag_backward({}, {1, -1, 1}, {}, &v, &v), Error);
  const Queue cuda{Device::kCuda, nullptr};
  testing::expect_error(ExitCode::kUsage, "embedding_bag", [&] {
    embedding_bag(cuda, {1, 1, 1}, {}, &v, &v);
  });
}

}  // namespace
}  // namespace rallrec::kernels
