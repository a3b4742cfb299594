#include "kernels/bpr.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;
using rallrec::testing::DeviceTest;
using rallrec::testing::random_floats;
using rallrec::testing::TestDevice;
using rallrec::testing::ThreadCountGuard;

struct Triples {
  std::vector<std::int32_t> users, positives, negatives;
  BprBatch batch() const {
    return {users.data(), positives.data(), negatives.data(),
            static_cast<std::int64_t>(users.size())};
  }
};

// Rows [0, rows / 2) are users, the rest items; rows repeat.
Triples random_triples(std::int64_t count, std::int32_t rows) {
  Rng rng(9);
  Triples t;
  const std::int32_t users = rows / 2;
  const auto item = [&] { return users + static_cast<std::int32_t>(rng.next_below(rows - users)); };
  for (std::int64_t b = 0; b < count; ++b) {
    t.users.push_back(static_cast<std::int32_t>(rng.next_below(users)));
    t.positives.push_back(item());
    t.negatives.push_back(item());
  }
  return t;
}

// mean_b log(1 + e^-margin) + reg / count * (norm of each role's gathered matrix), in double.
double objective(const std::vector<float>& e, std::int64_t width, const Triples& t, double reg) {
  const auto count = static_cast<double>(t.users.size());
  double loss = 0.0, users = 0.0, positives = 0.0, negatives = 0.0;
  for (std::size_t b = 0; b < t.users.size(); ++b) {
    double margin = 0.0;
    for (std::int64_t k = 0; k < width; ++k) {
      const double u = e[t.users[b] * width + k];
      const double p = e[t.positives[b] * width + k];
      const double n = e[t.negatives[b] * width + k];
      margin += u * (p - n);
      users += u * u;
      positives += p * p;
      negatives += n * n;
    }
    loss += std::log(1.0 + std::exp(-margin)) / count;
  }
  return loss + reg / count * (std::sqrt(users) + std::sqrt(positives) + std::sqrt(negatives));
}

struct Result {
  double value = 0.0;
  std::vector<float> gradient;
};

// The triples in the device's memory.
struct DeviceTriples {
  DeviceTriples(TestDevice& device, const Triples& t)
      : users(device, t.users),
        positives(device, t.positives),
        negatives(device, t.negatives),
        batch{users.get(), positives.get(), negatives.get(), t.batch().count} {}

  DeviceArray<std::int32_t> users, positives, negatives;
  BprBatch batch;
};

// The same through the kernels; rows are cut at `cut` as two ranks would.
Result through_kernels(TestDevice& device, const std::vector<float>& e, std::int64_t width,
                       const Triples& t, double reg, std::int64_t cut) {
  const std::int64_t rows = static_cast<std::int64_t>(e.size()) / width;
  const std::int64_t count = t.batch().count;
  const Queue queue = device.queue();
  const DeviceTriples triples(device, t);
  const DeviceArray<float> embeddings(device, e);
  const DeviceArray<float> slopes(device, count);
  const DeviceArray<double> loss(device, 1);
  const DeviceArray<float> gradient(device, std::vector<float>(e.size()));
  bpr_loss(queue, embeddings.get(), width, triples.batch, 1.0f / static_cast<float>(count),
           slopes.get(), loss.get());
  const DeviceArray<float> squares(device, 3 * count);
  bpr_squares(queue, embeddings.get(), width, triples.batch, 0, rows, squares.get());
  const DeviceArray<double> norms(device, 3);
  bpr_norms(queue, squares.get(), count, norms.get());
  for (const auto& [begin, end] : {std::pair{std::int64_t{0}, cut}, std::pair{cut, rows}}) {
    const BprTargets targets{triples.batch, begin, end};
    float* target = gradient.get() + begin * width;
    bpr_add_gradient(queue, embeddings.get(), width, triples.batch, slopes.get(), targets, target);
    bpr_add_norm_gradient(queue, embeddings.get(), width, triples.batch, reg / count, norms.get(),
                          targets, target);
  }
  const auto n = norms.host();
  return {loss.host()[0] / count + reg / count * (n[0] + n[1] + n[2]), gradient.host()};
}

class BprWidths : public DeviceTest<std::int64_t> {};

TEST_P(BprWidths, ValueAndGradientFollowTheFormula) {
  const std::int64_t width = shape();
  auto e = random_floats(20 * width, 1, 0.5f);
  const Triples t = random_triples(37, 20);
  const Result got = through_kernels(device(), e, width, t, 0.3, 7);
  EXPECT_NEAR(got.value, objective(e, width, t, 0.3), 1e-6);
  for (std::size_t i = 0; i < e.size(); i += 3) {
    const float before = e[i];
    e[i] = before + 1e-3f;
    const double high = e[i];
    const double above = objective(e, width, t, 0.3);
    e[i] = before - 1e-3f;
    const double below = objective(e, width, t, 0.3);
    const double step = high - e[i];
    e[i] = before;
    ASSERT_NEAR(got.gradient[i], (above - below) / step, 1e-6) << i;
  }
}

TEST_P(BprWidths, LossAndSlopesAreThoseOfTheMargins) {
  const std::int64_t width = shape();
  const Triples t = random_triples(300, 50);
  const DeviceTriples triples(device(), t);
  const auto e = on_device(random_floats(50 * width, 4));
  const auto margins = empty<float>(300);
  const auto slopes = empty<float>(300);
  const auto loss = empty<double>(1);
  bpr_margins(queue(), e.get(), width, triples.batch, margins.get());
  bpr_loss(queue(), e.get(), width, triples.batch, 0.5f, slopes.get(), loss.get());
  const auto m = margins.host();
  std::vector<float> expected(m.size());
  bpr_slopes(m.data(), 300, 0.5f, expected.data());
  EXPECT_NEAR(loss.host()[0], bpr_loss_sum(m.data(), 300), 1e-6 * bpr_loss_sum(m.data(), 300));
  const auto got = slopes.host();
  for (std::size_t b = 0; b < m.size(); ++b) {
    ASSERT_NEAR(got[b], expected[b], 1e-6) << b;
  }
}

TEST_P(BprWidths, BitsDependNeitherOnThreadsNorOnTheCut) {
  const std::int64_t width = shape();
  const auto e = random_floats(300 * width, 2);
  Triples t = random_triples(300, 300);
  // One row that occurs in more triples than a warp has lanes.
  for (std::size_t b = 0; b < t.users.size(); b += 4) {
    t.users[b] = 7;
  }
  const Result one = through_kernels(device(), e, width, t, 0.1, 0);
  ThreadCountGuard threads(2);
  const Result two = through_kernels(device(), e, width, t, 0.1, 133);
  EXPECT_EQ(one.value, two.value);
  EXPECT_EQ(one.gradient, two.gradient);
}

// Of each triple's rows some ranks hold only some, at places of their own.
TEST_P(BprWidths, RowsElsewhereTakePartWithoutATarget) {
  const std::int64_t width = shape();
  const Triples t = random_triples(41, 20);
  const auto e = random_floats(20 * width, 6);
  const DeviceTriples triples(device(), t);
  const Result whole = through_kernels(device(), e, width, t, 0.0, 0);
  // Row r is at place 19 - r where r is even, and nowhere else.
  const auto placed = [](std::vector<std::int32_t> rows) {
    for (std::int32_t& row : rows) row = row % 2 == 0 ? 19 - row : -1;
    return rows;
  };
  const DeviceTriples places(device(), {placed(t.users), placed(t.positives), placed(t.negatives)});
  const auto embeddings = on_device(e);
  const auto slopes = empty<float>(41);
  const auto loss = empty<double>(1);
  const auto gradient = on_device(std::vector<float>(20 * width));
  bpr_loss(queue(), embeddings.get(), width, triples.batch, 1.0F / 41.0F, slopes.get(), loss.get());
  bpr_add_gradient(queue(), embeddings.get(), width, triples.batch, slopes.get(),
                   {places.batch, 0, 20}, gradient.get());
  const auto got = gradient.host();
  for (std::int64_t r = 0; r < 20; ++r) {
    for (std::int64_t k = 0; k < width; ++k) {
      ASSERT_EQ(got[(19 - r) * width + k], r % 2 == 0 ? whole.gradient[r * width + k] : 0.0F) << r;
    }
  }
}

TEST_P(BprWidths, SquaresOfRangesCompleteEachOther) {
  const std::int64_t width = shape();
  const auto embeddings = on_device(random_floats(20 * width, 7));
  const DeviceTriples triples(device(), random_triples(13, 20));
  const auto all = empty<float>(39), low = empty<float>(39), high = empty<float>(39);
  bpr_squares(queue(), embeddings.get(), width, triples.batch, 0, 20, all.get());
  bpr_squares(queue(), embeddings.get(), width, triples.batch, 0, 9, low.get());
  bpr_squares(queue(), embeddings.get(), width, triples.batch, 9, 20, high.get());
  const auto a = all.host(), l = low.host(), h = high.host();
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_GT(a[i], 0.0F) << i;
    ASSERT_TRUE((l[i] == a[i] && h[i] == 0.0F) || (l[i] == 0.0F && h[i] == a[i])) << i;
  }
}

TEST_P(BprWidths, NormsOfZeroAndNoTriplesAddNothing) {
  const std::int64_t width = shape();
  const auto zeros = on_device(std::vector<float>(20 * width));
  const DeviceTriples triples(device(), random_triples(9, 20));
  const auto norms = on_device(std::vector<double>{1.0, 2.0, 3.0});
  const auto loss = on_device(std::vector<double>{1.0});
  const auto gradient = on_device(std::vector<float>(20 * width, 2.0F));
  const auto squares = on_device(std::vector<float>(27, 1.0F));
  bpr_squares(queue(), zeros.get(), width, triples.batch, 0, 20, squares.get());
  bpr_norms(queue(), squares.get(), 9, norms.get());
  EXPECT_EQ(norms.host(), std::vector<double>(3));
  bpr_add_norm_gradient(queue(), zeros.get(), width, triples.batch, 0.5, norms.get(),
                        {triples.batch, 0, 20}, gradient.get());
  EXPECT_EQ(gradient.host(), std::vector<float>(20 * width, 2.0F));

  const auto of_none = on_device(std::vector<double>{1.0, 2.0, 3.0});
  bpr_norms(queue(), nullptr, 0, of_none.get());
  bpr_loss(queue(), zeros.get(), width, {}, 1.0F, gradient.get(), loss.get());
  EXPECT_EQ(of_none.host(), std::vector<double>(3));
  EXPECT_EQ(loss.host()[0], 0.0);
}

INSTANTIATE_TEST_SUITE_P(Widths, BprWidths,
                         testing::on_every_device(std::int64_t{1}, std::int64_t{5},
                                                  std::int64_t{16}, std::int64_t{33},
                                                  std::int64_t{64}),
                         testing::device_and_number<BprWidths::ParamType>);

TEST(Bpr, StaysFiniteAtExtremeMargins) {
  const float margins[] = {-500.0f, 500.0f};
  EXPECT_NEAR(bpr_loss_sum(margins, 2), 500.0, 1e-6);
  float slopes[2];
  bpr_slopes(margins, 2, 1.0f, slopes);
  EXPECT_FLOAT_EQ(slopes[0], -1.0f);
  EXPECT_FLOAT_EQ(slopes[1], 0.0f);
}

TEST(Bpr, NoTriplesGiveNoLossAndNoGradient) {
  std::vector<float> gradient(4, 2.0f);
  bpr_add_gradient({}, gradient.data(), 2, {}, nullptr, {{}, 0, 2}, gradient.data());
  EXPECT_EQ(bpr_loss_sum(nullptr, 0), 0.0);
  EXPECT_EQ(gradient, std::vector<float>(4, 2.0f));
}

}  // namespace
}  // namespace rallrec::kernels
