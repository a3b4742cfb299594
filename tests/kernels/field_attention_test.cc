#include "kernels/field_attention.h"

#include <gtest/gtest.h>

#include <cmath>
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

// q, k and v beside each other in one matrix, with a column that belongs to none of them.
struct Case {
  explicit Case(FieldAttentionShape of) : s(of) {
    s.stride = 3 * s.width() + 1;
    s.scale = 0.7F;
    matrix = random_floats(s.batch * s.fields * s.stride, 1);
    dy = random_floats(s.batch * s.fields * s.width(), 2);
  }
  FieldAttentionInput input() const {
    return {matrix.data(), matrix.data() + s.width(), matrix.data() + 2 * s.width()};
  }

  FieldAttentionShape s;
  Values matrix, dy;
};

struct Results {
  Values y, weights, gradient;
};

Results through_kernels(const Case& c) {
  Results r;
  r.y.assign(c.dy.size(), NAN);
  r.weights.assign(static_cast<std::size_t>(c.s.batch * c.s.pairs()), NAN);
  r.gradient.assign(c.matrix.size(), 9.0F);
  const FieldAttentionShape& s = c.s;
  field_attention({}, s, c.input(), r.y.data(), r.weights.data());
  field_attention_backward(
      {}, s, c.input(), r.weights.data(), c.dy.data(),
      {r.gradient.data(), r.gradient.data() + s.width(), r.gradient.data() + 2 * s.width()});
  return r;
}

// Σ dy · y in double, from the definition, with all exponentials written out.
double objective(const Case& c, const std::vector<double>& m) {
  const FieldAttentionShape& s = c.s;
  const auto at = [&](std::int64_t b, std::int64_t f, std::int64_t column) {
    return m[static_cast<std::size_t>((b * s.fields + f) * s.stride + column)];
  };
  double sum = 0.0;
  for (std::int64_t b = 0; b < s.batch; ++b) {
    for (std::int64_t h = 0; h < s.heads; ++h) {
      for (std::int64_t i = 0; i < s.fields; ++i) {
        double norm = 0.0;
        std::vector<double> y(static_cast<std::size_t>(s.size));
        for (std::int64_t j = 0; j < s.fields; ++j) {
          double score = 0.0;
          for (std::int64_t d = 0; d < s.size; ++d) {
            score += at(b, i, h * s.size + d) * at(b, j, s.width() + h * s.size + d);
          }
          const double power = std::exp(double{s.scale} * score);
          norm += power;
          for (std::int64_t d = 0; d < s.size; ++d) {
            y[static_cast<std::size_t>(d)] += power * at(b, j, 2 * s.width() + h * s.size + d);
          }
        }
        for (std::int64_t d = 0; d < s.size; ++d) {
          const std::int64_t place = (b * s.fields + i) * s.width() + h * s.size + d;
          sum += c.dy[static_cast<std::size_t>(place)] * y[static_cast<std::size_t>(d)] / norm;
        }
      }
    }
  }
  return sum;
}

class FieldAttention : public ::testing::TestWithParam<FieldAttentionShape> {};

TEST_P(FieldAttention, ForwardFollowsTheFormula) {
  Case c(GetParam());
  const Results got = through_kernels(c);
  const std::vector<double> matrix(c.matrix.begin(), c.matrix.end());
  for (std::size_t i = 0; i < c.dy.size(); ++i) {
    c.dy.assign(c.dy.size(), 0.0F);
    c.dy[i] = 1.0F;
    ASSERT_NEAR(got.y[i], objective(c, matrix), 2e-5) << i;
  }
}

TEST_P(FieldAttention, BackwardIsTheSlopeOfTheFormula) {
  const Case c(GetParam());
  const Results got = through_kernels(c);
  std::vector<double> matrix(c.matrix.begin(), c.matrix.end());
  constexpr double kStep = 1e-5;
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    const double before = matrix[i];
    matrix[i] = before + kStep;
    const double above = objective(c, matrix);
    matrix[i] = before - kStep;
    const double slope = (above - objective(c, matrix)) / (2.0 * kStep);
    matrix[i] = before;
    const bool belongs = static_cast<std::int64_t>(i) % c.s.stride < 3 * c.s.width();
    ASSERT_NEAR(got.gradient[i], belongs ? slope : 9.0, 1e-4) << i;
  }
}

TEST_P(FieldAttention, WeightsOfAFieldAddUpToOne) {
  const Case c(GetParam());
  const Results got = through_kernels(c);
  for (std::size_t row = 0; row < got.weights.size(); row += static_cast<std::size_t>(c.s.fields)) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < c.s.fields; ++j) {
      sum += got.weights[row + static_cast<std::size_t>(j)];
    }
    ASSERT_NEAR(sum, 1.0, 1e-6);
  }
}

// Heads of no, one and several columns; fields below, at and beyond a vector.
INSTANTIATE_TEST_SUITE_P(
    Shapes, FieldAttention,
    ::testing::Values(FieldAttentionShape{0, 3, 2, 4}, FieldAttentionShape{2, 3, 2, 0},
                      FieldAttentionShape{2, 0, 2, 4}, FieldAttentionShape{1, 1, 1, 1},
                      FieldAttentionShape{3, 2, 1, 5}, FieldAttentionShape{2, 8, 2, 8},
                      FieldAttentionShape{2, 9, 3, 10}, FieldAttentionShape{1, 17, 1, 3}));

TEST(FieldAttentionBits, DependNeitherOnThreadsNorOnOtherSamples) {
  const Case whole({70, 7, 2, 20});
  const Results one = through_kernels(whole);
  {
    const ThreadCountGuard threads(2);
    const Results two = through_kernels(whole);
    EXPECT_EQ(one.y, two.y);
    EXPECT_EQ(one.gradient, two.gradient);
  }
  Case last({1, 7, 2, 20});
  last.matrix.assign(whole.matrix.end() - static_cast<std::ptrdiff_t>(last.matrix.size()),
                     whole.matrix.end());
  last.dy.assign(whole.dy.end() - static_cast<std::ptrdiff_t>(last.dy.size()), whole.dy.end());
  const Results alone = through_kernels(last);
  EXPECT_TRUE(std::equal(alone.y.rbegin(), alone.y.rend(), one.y.rbegin()));
  EXPECT_TRUE(std::equal(alone.gradient.rbegin(), alone.gradient.rend(), one.gradient.rbegin()));
}

TEST(FieldAttentionScores, AreSafeFromOverflow) {
  const Values q = {40.0F, 40.0F};
  const Values v = {1.0F, 3.0F};
  Values y(2), weights(4);
  field_attention({}, {1, 2, 1, 1, 1, 1.0F}, {q.data(), q.data(), v.data()}, y.data(),
                  weights.data());
  EXPECT_FLOAT_EQ(y[0], 2.0F);
  EXPECT_FLOAT_EQ(weights[1], 0.5F);
}

TEST(FieldAttentionChecks, RefusesNullNegativeSizesAShortStrideAndCuda) {
  float v = 0.0F;
  EXPECT_THROW(field_attention({}, {-1, 1, 1, 1, 1}, {&v, &v, &v}, &v, &v), Error);
  EXPECT_THROW(field_attention({}, {1, 1, 2, 1, 1}, {&v, &v, &v}, &v, &v), Error);
  EXPECT_THROW(field_attention({}, {1, 1, 1, 1, 1}, {&v, nullptr, &v}, &v, &v), Error);
  EXPECT_THROW(field_attention({}, {1, 1, 1, 1, 1}, {&v, &v, &v}, &v, nullptr), Error);
  EXPECT_THROW(
      field_attention_backward({}, {1, 1, 1, 1, 1}, {&v, &v, &v}, &v, &v, {&v, &v, nullptr}),
      Error);
  const Queue cuda{Device::kCuda, nullptr};
  testing::expect_error(ExitCode::kUsage, "field_attention", [&] {
    field_attention(cuda, {1, 1, 1, 1, 1}, {&v, &v, &v}, &v, &v);
  });
}

}  // namespace
}  // namespace rallrec::kernels
