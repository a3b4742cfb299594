#include "kernels/linear.h"

#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/exact_sums.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;
using rallrec::testing::ExactSums;
using rallrec::testing::random_floats;
using rallrec::testing::TestDevice;
using rallrec::testing::ThreadCountGuard;
using Values = std::vector<float>;

struct Inputs {
  explicit Inputs(const LinearShape& s)
      : x(random_floats(s.rows * s.inputs, 1)),
        weight(random_floats(s.outputs * s.inputs, 2)),
        bias(random_floats(s.outputs, 3)),
        dy(random_floats(s.rows * s.outputs, 4)) {}

  Values x, weight, bias, dy;
};

struct Results {
  Values y, dx, dweight, dbias;
};

Results through_kernels(TestDevice& device, const LinearShape& s, const Inputs& in,
                        bool with_bias = true) {
  const DeviceArray<float> x(device, in.x), weight(device, in.weight), bias(device, in.bias);
  const DeviceArray<float> dy(device, in.dy);
  // What is not written stays 7, which no result is.
  const DeviceArray<float> y(device, Values(in.dy.size(), 7.0F));
  const DeviceArray<float> dx(device, Values(in.x.size(), 7.0F));
  const DeviceArray<float> dweight(device, Values(in.weight.size(), 7.0F));
  const DeviceArray<float> dbias(device, Values(in.bias.size(), 7.0F));
  const Queue queue = device.queue();
  linear(queue, s, x.get(), weight.get(), with_bias ? bias.get() : nullptr, y.get());
  linear_backward_input(queue, s, dy.get(), weight.get(), dx.get());
  linear_backward_weight(queue, s, x.get(), dy.get(), dweight.get(),
                         with_bias ? dbias.get() : nullptr);
  return {y.host(), dx.host(), dweight.host(), dbias.host()};
}

// Σ over all (row, input, output) of what each product adds to each result.
struct Formula {
  Formula(const LinearShape& s, const Inputs& in, bool with_bias)
      : y(in.dy.size()), dx(in.x.size()), dweight(in.weight.size()), dbias(in.bias.size()) {
    for (std::int64_t r = 0; r < s.rows; ++r) {
      for (std::int64_t o = 0; o < s.outputs; ++o) {
        add(s, in, r, o);
        if (with_bias) {
          y.add(r * s.outputs + o, in.bias[o]);
        }
        dbias.add(o, in.dy[r * s.outputs + o]);
      }
    }
  }

  void add(const LinearShape& s, const Inputs& in, std::int64_t r, std::int64_t o) {
    const double dy = in.dy[r * s.outputs + o];
    for (std::int64_t i = 0; i < s.inputs; ++i) {
      const double x = in.x[r * s.inputs + i];
      const double w = in.weight[o * s.inputs + i];
      y.add(r * s.outputs + o, x * w);
      dx.add(r * s.inputs + i, dy * w);
      dweight.add(o * s.inputs + i, dy * x);
    }
  }

  ExactSums y, dx, dweight, dbias;
};

class Linear : public testing::DeviceTest<LinearShape> {};

TEST_P(Linear, AllThreeProductsFollowTheFormula) {
  const Inputs in(shape());
  const Formula want(shape(), in, true);
  const Results got = through_kernels(device(), shape(), in);
  expect_near(got.y, want.y, "y");
  expect_near(got.dx, want.dx, "dx");
  expect_near(got.dweight, want.dweight, "dweight");
  expect_near(got.dbias, want.dbias, "dbias");
}

TEST_P(Linear, WithoutABiasThereIsNone) {
  const Inputs in(shape());
  const Results got = through_kernels(device(), shape(), in, false);
  expect_near(got.y, Formula(shape(), in, false).y, "y");
  EXPECT_EQ(got.dbias, Values(in.bias.size(), 7.0F));
}

// As by a rank that has the rows from the second on.
TEST_P(Linear, ARowsBitsDoNotDependOnTheRowsBesideIt) {
  const LinearShape s = shape();
  if (s.rows < 2) {
    return;
  }
  const Inputs in(s);
  const Results whole = through_kernels(device(), s, in);
  LinearShape fewer = s;
  --fewer.rows;
  Inputs part = in;
  part.x.erase(part.x.begin(), part.x.begin() + s.inputs);
  part.dy.erase(part.dy.begin(), part.dy.begin() + s.outputs);
  const Results got = through_kernels(device(), fewer, part);
  EXPECT_EQ(got.y, Values(whole.y.begin() + s.outputs, whole.y.end()));
  EXPECT_EQ(got.dx, Values(whole.dx.begin() + s.inputs, whole.dx.end()));
}

TEST_P(Linear, BitsRepeatOnAnyNumberOfThreads) {
  const Inputs in(shape());
  const Results one = through_kernels(device(), shape(), in);
  for (const int count : {2, 3}) {
    ThreadCountGuard threads(count);
    const Results many = through_kernels(device(), shape(), in);
    EXPECT_EQ(one.y, many.y);
    EXPECT_EQ(one.dx, many.dx);
    EXPECT_EQ(one.dweight, many.dweight);
    EXPECT_EQ(one.dbias, many.dbias);
  }
}

// No rows, inputs or outputs; one of each; sizes below, at and beyond a tile, a panel and a block
// of rows. 106 rows are a block of align's on MovieLens-100K, 2048 x 300 the first layer of a CTR
// tower.
INSTANTIATE_TEST_SUITE_P(Shapes, Linear,
                         testing::on_every_device(LinearShape{0, 5, 3}, LinearShape{4, 0, 3},
                                                  LinearShape{4, 3, 0}, LinearShape{1, 1, 1},
                                                  LinearShape{2, 7, 5}, LinearShape{64, 64, 64},
                                                  LinearShape{65, 33, 70}, LinearShape{259, 17, 1},
                                                  LinearShape{106, 576, 128},
                                                  LinearShape{2048, 300, 128}),
                         testing::device_and_number<Linear::ParamType>);

class LinearSlope : public testing::DeviceTest<LinearShape> {};

// The gradient of Σ dy · y as a quotient of differences of the forward pass, which is linear in
// each of x, weight and bias: a step of 1/2 has rounding for its only error.
TEST_P(LinearSlope, GradientsAreDifferenceQuotients) {
  const LinearShape s = shape();
  Inputs in(s);
  const Results got = through_kernels(device(), s, in);
  const auto objective = [&] {
    const Values y = through_kernels(device(), s, in).y;
    double sum = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum += double{in.dy[i]} * y[i];
    }
    return sum;
  };
  testing::expect_slopes(in.x, got.dx, 0.5F, 2e-5, "x", objective);
  testing::expect_slopes(in.weight, got.dweight, 0.5F, 2e-5, "weight", objective);
  testing::expect_slopes(in.bias, got.dbias, 0.5F, 2e-5, "bias", objective);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LinearSlope, testing::on_every_device(LinearShape{3, 5, 4}),
                         testing::device_and_number<LinearSlope::ParamType>);

TEST(LinearChecks, RefusesNullAndNegativeSizes) {
  float v = 0.0F;
  EXPECT_THROW(linear({}, {1, 1, 1}, &v, nullptr, &v, &v), Error);
  EXPECT_THROW(linear({}, {1, 0, 1}, nullptr, nullptr, nullptr, nullptr), Error);
  EXPECT_THROW(linear({}, {-1, 1, 1}, &v, &v, &v, &v), Error);
  EXPECT_THROW(linear_backward_input({}, {1, 1, 1}, nullptr, &v, &v), Error);
  EXPECT_THROW(linear_backward_weight({}, {1, 1, 1}, &v, &v, nullptr, &v), Error);
  EXPECT_THROW(linear_backward_weight({}, {1, 1, 1}, &v, nullptr, &v, &v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
