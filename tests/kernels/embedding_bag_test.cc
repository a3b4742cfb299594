#include "kernels/embedding_bag.h"

#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/exact_sums.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::ExactSums;
using rallrec::testing::random_floats;
using rallrec::testing::ThreadCountGuard;
using Values = std::vector<float>;
using Offsets = std::vector<std::int64_t>;
using Ids = std::vector<std::int32_t>;

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
  std::int64_t entries() const { return static_cast<std::int64_t>(ids.size()); }
  // Σ over the entries of weight · dy, [rows, stride].
  void add_gradient(ExactSums& sums) const {
    for (std::int64_t b = 0; b < s.bags; ++b) {
      for (std::int64_t e = offsets[b]; e < offsets[b + 1]; ++e) {
        for (std::int64_t k = 0; k < s.columns; ++k) {
          sums.add(ids[e] * s.stride + k, double{weights[e]} * dy[b * s.columns + k]);
        }
      }
    }
  }

  BagShape s;
  Values table, weights, dy;
  Offsets offsets = {0};
  Ids ids;
};

class EmbeddingBag : public testing::DeviceTest<BagShape> {
 protected:
  // On the device, from host memory; what lies between the results is 9.
  Values sums(const BagShape& s, const Bags& bags, std::int64_t entries, const Values& host_table) {
    const auto offsets = on_device(Offsets(bags.offsets, bags.offsets + s.bags + 1));
    const auto ids = on_device(Ids(bags.ids, bags.ids + entries));
    const auto weights = on_device(Values(bags.weights, bags.weights + entries));
    const auto table = on_device(host_table);
    const auto y = on_device(Values(static_cast<std::size_t>(s.bags * s.to_next()), 9.0F));
    embedding_bag(queue(), s, {offsets.get(), ids.get(), weights.get()}, table.get(), y.get());
    return y.host();
  }
};

TEST_P(EmbeddingBag, SumsFollowTheFormulaAndLeaveWhatLiesBetween) {
  BagShape s = shape();
  const Case c(s);
  s.result_stride = s.columns + s.bags % 3;
  ExactSums want(static_cast<std::size_t>(s.bags * s.to_next()));
  for (std::int64_t b = 0; b < s.bags; ++b) {
    for (std::int64_t k = s.columns; k < s.to_next(); ++k) {
      want.add(static_cast<std::size_t>(b * s.to_next() + k), 9.0);
    }
    for (std::int64_t e = c.offsets[b]; e < c.offsets[b + 1]; ++e) {
      for (std::int64_t k = 0; k < s.columns; ++k) {
        want.add(b * s.to_next() + k, double{c.weights[e]} * c.table[c.ids[e] * s.stride + k]);
      }
    }
  }
  expect_near(sums(s, c.bags(), c.entries(), c.table), want, "y");
}

// The gradient of the table as the same sums of dy, by row: what a GPU does.
TEST_P(EmbeddingBag, TurnedBagsGiveTheGradientOfTheTable) {
  const BagShape s = shape();
  const Case c(s);
  const TurnedBags turned = turned_bags(s.bags, c.bags(), kRows);
  ASSERT_EQ(turned.offsets.size(), std::size_t{kRows + 1});
  const Values got =
      sums({kRows, s.columns, s.columns, s.stride},
           {turned.offsets.data(), turned.ids.data(), turned.weights.data()}, c.entries(), c.dy);
  ExactSums want(c.table.size());
  c.add_gradient(want);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool belongs = static_cast<std::int64_t>(i) % s.stride < s.columns;
    ASSERT_NEAR(got[i], belongs ? want.value[i] : 9.0, 1e-6 * want.magnitude[i]) << i;
  }
}

// Strides beyond the columns: an embedding with a first-order weight behind it, and that weight.
constexpr BagShape kShapes[] = {{0, 4, 4},     {5, 0, 3},     {9, 1, 1},   {600, 1, 17},
                                {600, 16, 17}, {601, 16, 16}, {13, 8, 8},  {14, 21, 25},
                                {7, 200, 200}, {3, 136, 140}, {700, 2, 2}, {33, 12, 16}};
INSTANTIATE_TEST_SUITE_P(Shapes, EmbeddingBag,
                         ::testing::Combine(::testing::ValuesIn(testing::device_names()),
                                            ::testing::ValuesIn(kShapes)),
                         testing::device_and_number<EmbeddingBag::ParamType>);

class EmbeddingBagOnCpu : public ::testing::TestWithParam<BagShape> {};

TEST_P(EmbeddingBagOnCpu, BackwardAddsTheGradientWithTheBitsOfTheTurnedBags) {
  const BagShape s = GetParam();
  const Case c(s);
  Values dtable(c.table.size(), 0.5F);
  embedding_bag_backward({}, s, c.bags(), c.dy.data(), dtable.data());
  ExactSums want(dtable.size());
  for (std::size_t i = 0; i < dtable.size(); ++i) {
    want.add(i, 0.5);
  }
  c.add_gradient(want);
  expect_near(dtable, want, "dtable");
  Values from_zero(c.table.size());
  embedding_bag_backward({}, s, c.bags(), c.dy.data(), from_zero.data());
  const TurnedBags turned = turned_bags(s.bags, c.bags(), kRows);
  Values by_row(c.table.size());
  embedding_bag({}, {kRows, s.columns, s.columns, s.stride},
                {turned.offsets.data(), turned.ids.data(), turned.weights.data()}, c.dy.data(),
                by_row.data());
  EXPECT_EQ(by_row, from_zero);
}

TEST_P(EmbeddingBagOnCpu, BitsDoNotDependOnThreads) {
  const Case c(GetParam());
  Values one(c.dy.size());
  Values two(c.dy.size());
  embedding_bag({}, c.s, c.bags(), c.table.data(), one.data());
  const ThreadCountGuard threads(2);
  embedding_bag({}, c.s, c.bags(), c.table.data(), two.data());
  EXPECT_EQ(one, two);
}

INSTANTIATE_TEST_SUITE_P(Shapes, EmbeddingBagOnCpu, ::testing::ValuesIn(kShapes));

TEST(EmbeddingBagChecks, RefusesNegativeSizesAndAShortStride) {
  float v = 0.0F;
  EXPECT_THROW(embedding_bag({}, {-1, 1, 1}, {}, &v, &v), Error);
  EXPECT_THROW(embedding_bag({}, {1, 2, 1}, {}, &v, &v), Error);
  EXPECT_THROW(embedding_bag({}, {1, 2, 2, 1}, {}, &v, &v), Error);
  EXPECT_THROW(embedding_bag_backward({}, {1, -1, 1}, {}, &v, &v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
