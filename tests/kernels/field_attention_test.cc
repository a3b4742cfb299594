#include "kernels/field_attention.h"

#include <cmath>
#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;
using rallrec::testing::random_floats;
using rallrec::testing::TestDevice;
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
  FieldAttentionShape s;
  Values matrix, dy;
};

struct Results {
  Values y, weights, gradient;
};

Results through_kernels(TestDevice& device, const Case& c) {
  const FieldAttentionShape& s = c.s;
  const DeviceArray<float> matrix(device, c.matrix), dy(device, c.dy);
  const DeviceArray<float> y(device, Values(c.dy.size(), NAN));
  const DeviceArray<float> weights(device, Values(std::size_t(s.batch * s.pairs()), NAN));
  const DeviceArray<float> gradient(device, Values(c.matrix.size(), 9.0F));
  float* const from = matrix.get();
  float* const to = gradient.get();
  const FieldAttentionInput input{from, from + s.width(), from + 2 * s.width()};
  field_attention(device.queue(), s, input, y.get(), weights.get());
  field_attention_backward(device.queue(), s, input, weights.get(), dy.get(),
                           {to, to + s.width(), to + 2 * s.width()});
  return {y.host(), weights.host(), gradient.host()};
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

class FieldAttention : public testing::DeviceTest<FieldAttentionShape> {};

TEST_P(FieldAttention, ForwardFollowsTheFormula) {
  Case c(shape());
  const Results got = through_kernels(device(), c);
  const std::vector<double> matrix(c.matrix.begin(), c.matrix.end());
  for (std::size_t i = 0; i < c.dy.size(); ++i) {
    c.dy.assign(c.dy.size(), 0.0F);
    c.dy[i] = 1.0F;
    ASSERT_NEAR(got.y[i], objective(c, matrix), 2e-5) << i;
  }
}

TEST_P(FieldAttention, BackwardIsTheSlopeOfTheFormula) {
  const Case c(shape());
  const Results got = through_kernels(device(), c);
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
  const Case c(shape());
  const Results got = through_kernels(device(), c);
  for (std::size_t row = 0; row < got.weights.size(); row += static_cast<std::size_t>(c.s.fields)) {
    double sum = 0.0;
    for (std::int64_t j = 0; j < c.s.fields; ++j) {
      sum += got.weights[row + static_cast<std::size_t>(j)];
    }
    ASSERT_NEAR(sum, 1.0, 1e-6);
  }
}

// Heads of no, one and several columns; fields below, at and beyond a vector, and beyond a warp.
// The last but one fits in a GPU's shared memory on the way forward alone, the last one nowhere.
INSTANTIATE_TEST_SUITE_P(
    Shapes, FieldAttention,
    testing::on_every_device(FieldAttentionShape{0, 3, 2, 4}, FieldAttentionShape{2, 3, 2, 0},
                             FieldAttentionShape{2, 0, 2, 4}, FieldAttentionShape{1, 1, 1, 1},
                             FieldAttentionShape{3, 2, 1, 5}, FieldAttentionShape{2, 8, 2, 8},
                             FieldAttentionShape{2, 9, 3, 10}, FieldAttentionShape{1, 17, 1, 3},
                             FieldAttentionShape{1, 38, 2, 2}, FieldAttentionShape{1, 44, 1, 3},
                             FieldAttentionShape{1, 60, 1, 2}),
    testing::device_and_number<FieldAttention::ParamType>);

class FieldAttentionBits : public testing::DeviceTest<int> {};

TEST_P(FieldAttentionBits, DoNotDependOnOtherSamples) {
  const Case whole({70, 7, 2, 20});
  Case last({1, 7, 2, 20});
  last.matrix.assign(whole.matrix.end() - static_cast<std::ptrdiff_t>(last.matrix.size()),
                     whole.matrix.end());
  last.dy.assign(whole.dy.end() - static_cast<std::ptrdiff_t>(last.dy.size()), whole.dy.end());
  const Results all = through_kernels(device(), whole);
  const Results alone = through_kernels(device(), last);
  EXPECT_TRUE(std::equal(alone.y.rbegin(), alone.y.rend(), all.y.rbegin()));
  EXPECT_TRUE(std::equal(alone.gradient.rbegin(), alone.gradient.rend(), all.gradient.rbegin()));
}

TEST_P(FieldAttentionBits, DoNotDependOnThreads) {
  const Case whole({70, 7, 2, 20});
  const Results one = through_kernels(device(), whole);
  const ThreadCountGuard threads(2);
  const Results two = through_kernels(device(), whole);
  EXPECT_EQ(one.y, two.y);
  EXPECT_EQ(one.gradient, two.gradient);
}

TEST_P(FieldAttentionBits, ScoresAreSafeFromOverflow) {
  const auto q = on_device(Values{40.0F, 40.0F});
  const auto v = on_device(Values{1.0F, 3.0F});
  const auto y = empty<float>(2);
  const auto weights = empty<float>(4);
  field_attention(queue(), {1, 2, 1, 1, 1, 1.0F}, {q.get(), q.get(), v.get()}, y.get(),
                  weights.get());
  EXPECT_FLOAT_EQ(y.host()[0], 2.0F);
  EXPECT_FLOAT_EQ(weights.host()[1], 0.5F);
}

INSTANTIATE_TEST_SUITE_P(Devices, FieldAttentionBits, testing::on_every_device(0),
                         testing::device_and_number<FieldAttentionBits::ParamType>);

TEST(FieldAttentionChecks, RefusesNullNegativeSizesAndAShortStride) {
  float v = 0.0F;
  EXPECT_THROW(field_attention({}, {-1, 1, 1, 1, 1}, {&v, &v, &v}, &v, &v), Error);
  EXPECT_THROW(field_attention({}, {1, 1, 2, 1, 1}, {&v, &v, &v}, &v, &v), Error);
  EXPECT_THROW(field_attention({}, {1, 1, 1, 1, 1}, {&v, nullptr, &v}, &v, &v), Error);
  EXPECT_THROW(field_attention({}, {1, 1, 1, 1, 1}, {&v, &v, &v}, &v, nullptr), Error);
  EXPECT_THROW(
      field_attention_backward({}, {1, 1, 1, 1, 1}, {&v, &v, &v}, &v, &v, {&v, &v, nullptr}),
      Error);
  EXPECT_THROW(field_attention({}, {1, 32768, 1, 1, 1}, {&v, &v, &v}, &v, &v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
