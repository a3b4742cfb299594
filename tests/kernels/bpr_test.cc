#include "kernels/bpr.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;
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

// The same through the kernels; rows are cut at `cut` as two ranks would.
Result through_kernels(const std::vector<float>& e, std::int64_t width, const Triples& t,
                       double reg, std::int64_t cut) {
  const std::int64_t rows = static_cast<std::int64_t>(e.size()) / width;
  const std::int64_t count = t.batch().count;
  std::vector<float> margins(count), slopes(count);
  bpr_margins({}, e.data(), width, t.batch(), margins.data());
  bpr_slopes(margins.data(), count, 1.0f / count, slopes.data());
  const BprRoles norms = bpr_norms({}, e.data(), width, t.batch());
  Result result;
  result.value = bpr_loss_sum(margins.data(), count) / count +
                 reg / count * (norms.user + norms.positive + norms.negative);
  result.gradient.assign(e.size(), 0.0f);
  const BprRoles scale{reg / count / norms.user, reg / count / norms.positive,
                       reg / count / norms.negative};
  for (const auto& [begin, end] : {std::pair{std::int64_t{0}, cut}, std::pair{cut, rows}}) {
    float* gradient = result.gradient.data() + begin * width;
    bpr_add_gradient({}, e.data(), width, t.batch(), slopes.data(), begin, end, gradient);
    bpr_add_norm_gradient({}, e.data(), width, t.batch(), scale, begin, end, gradient);
  }
  return result;
}

class BprWidths : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(BprWidths, ValueAndGradientFollowTheFormula) {
  const std::int64_t width = GetParam();
  auto e = random_floats(20 * width, 1, 0.5f);
  const Triples t = random_triples(37, 20);
  const Result got = through_kernels(e, width, t, 0.3, 7);
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

INSTANTIATE_TEST_SUITE_P(Widths, BprWidths, ::testing::Values(1, 5, 16, 33, 64));

TEST(Bpr, BitsDependNeitherOnThreadsNorOnTheCut) {
  const auto e = random_floats(600 * 24, 2);
  const Triples t = random_triples(1000, 600);
  const Result one = through_kernels(e, 24, t, 0.1, 0);
  ThreadCountGuard threads(2);
  const Result two = through_kernels(e, 24, t, 0.1, 311);
  EXPECT_EQ(one.value, two.value);
  EXPECT_EQ(one.gradient, two.gradient);
}

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
  bpr_add_gradient({}, gradient.data(), 2, {}, nullptr, 0, 2, gradient.data());
  EXPECT_EQ(bpr_loss_sum(nullptr, 0), 0.0);
  EXPECT_EQ(gradient, std::vector<float>(4, 2.0f));
}

}  // namespace
}  // namespace rallrec::kernels
