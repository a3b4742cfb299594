#include "kernels/cross_layer.h"

#include <cmath>
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
  explicit Inputs(const CrossShape& s)
      : x0(random_floats(s.batch * s.width, 1)),
        x(random_floats(s.batch * s.width, 2)),
        w(random_floats(s.width, 3)),
        b(random_floats(s.width, 4)),
        dy(random_floats(s.batch * s.width, 5)),
        residual(random_floats(s.batch * s.width, 6)) {}

  Values x0, x, w, b, dy, residual;
};

struct Results {
  Values y, dots, dx0, dx, dw, db;
};

// Both passes on a device; without a residual where `residual` is false.
Results through_kernels(TestDevice& device, const CrossShape& s, const Inputs& in, bool residual) {
  const DeviceArray<float> x0(device, in.x0), x(device, in.x), w(device, in.w), b(device, in.b);
  const DeviceArray<float> dy(device, in.dy), dx0(device, in.residual);
  const std::size_t count = in.x.size();
  const DeviceArray<float> y(device, count), dx(device, count);
  const DeviceArray<float> dots(device, static_cast<std::size_t>(s.batch));
  const DeviceArray<float> dw(device, in.w.size()), db(device, in.w.size());
  const Queue queue = device.queue();
  cross_layer(queue, s, {x0.get(), x.get(), w.get(), b.get()}, y.get(), dots.get());
  cross_layer_backward(
      queue, s, {x0.get(), x.get(), w.get(), dots.get(), dy.get(), residual ? dx0.get() : nullptr},
      {dx0.get(), dx.get(), dw.get(), db.get()});
  return {y.host(), dots.host(), dx0.host(), dx.host(), dw.host(), db.host()};
}

struct Formula {
  Formula(const CrossShape& s, const Inputs& in)
      : y(in.x.size()), dx0(in.x.size()), dx(in.x.size()), dw(in.w.size()), db(in.w.size()) {
    const auto n = static_cast<std::size_t>(s.width);
    for (std::size_t row = 0; row < in.x.size(); row += n) {
      add_row(n, row, in);
    }
  }

  // y_c = Σ_k x0_c x_k w_k + b_c + x_c and its derivatives, term by term.
  void add_row(std::size_t n, std::size_t row, const Inputs& in) {
    for (std::size_t c = 0; c < n; ++c) {
      const double x0 = in.x0[row + c];
      const double dy = in.dy[row + c];
      y.add(row + c, in.b[c]);
      y.add(row + c, in.x[row + c]);
      dx.add(row + c, dy);
      db.add(c, dy);
      dx0.add(row + c, in.residual[row + c]);
      for (std::size_t k = 0; k < n; ++k) {
        const double xw = double{in.x[row + k]} * in.w[k];
        y.add(row + c, x0 * xw);
        dx0.add(row + c, dy * xw);
        dx.add(row + k, dy * x0 * in.w[k]);
        dw.add(k, dy * x0 * in.x[row + k]);
      }
    }
  }

  ExactSums y, dx0, dx, dw, db;
};

class CrossLayer : public testing::DeviceTest<CrossShape> {};

TEST_P(CrossLayer, ForwardAndBackwardFollowTheFormula) {
  const Inputs in(shape());
  const Formula want(shape(), in);
  const Results got = through_kernels(device(), shape(), in, true);
  expect_near(got.y, want.y, "y");
  expect_near(got.dx0, want.dx0, "dx0");
  expect_near(got.dx, want.dx, "dx");
  expect_near(got.dw, want.dw, "dw");
  expect_near(got.db, want.db, "db");
}

TEST_P(CrossLayer, WithoutAResidualTheGradientStandsAlone) {
  Inputs in(shape());
  const Values before = in.residual;
  in.residual.assign(in.residual.size(), 0.0F);
  const Formula want(shape(), in);
  in.residual = before;
  expect_near(through_kernels(device(), shape(), in, false).dx0, want.dx0, "dx0");
}

TEST_P(CrossLayer, TheResultMayLieOnEitherInput) {
  const CrossShape s = shape();
  const Inputs in(s);
  const Values want = through_kernels(device(), s, in, true).y;
  const auto x0 = on_device(in.x0);
  const auto x = on_device(in.x);
  const auto w = on_device(in.w);
  const auto b = on_device(in.b);
  cross_layer(queue(), s, {x0.get(), x.get(), w.get(), b.get()}, x.get(), nullptr);
  EXPECT_EQ(x.host(), want);
  const auto again = on_device(in.x);
  cross_layer(queue(), s, {x0.get(), again.get(), w.get(), b.get()}, x0.get(), nullptr);
  EXPECT_EQ(x0.host(), want);
}

TEST_P(CrossLayer, BitsDoNotDependOnThreads) {
  const Inputs in(shape());
  const Results one = through_kernels(device(), shape(), in, true);
  ThreadCountGuard threads(2);
  const Results two = through_kernels(device(), shape(), in, true);
  EXPECT_EQ(one.y, two.y);
  EXPECT_EQ(one.dx0, two.dx0);
  EXPECT_EQ(one.dx, two.dx);
  EXPECT_EQ(one.dw, two.dw);
  EXPECT_EQ(one.db, two.db);
}

// No rows, no columns; one of each; rows below, at and beyond a part of the batch; columns below,
// at and beyond a vector and a warp. 144 and 70 columns are 9 fields of 16 and 7 of 10.
INSTANTIATE_TEST_SUITE_P(Shapes, CrossLayer,
                         testing::on_every_device(CrossShape{0, 5}, CrossShape{3, 0},
                                                  CrossShape{1, 1}, CrossShape{2, 7},
                                                  CrossShape{64, 32}, CrossShape{65, 33},
                                                  CrossShape{300, 70}, CrossShape{512, 144},
                                                  CrossShape{5, 577}),
                         testing::device_and_number<CrossLayer::ParamType>);

class CrossSlope : public testing::DeviceTest<CrossShape> {};

// The gradient of Σ dy · y as a quotient of differences of the kernel's own forward pass: linear in
// each of x0, x, w, b, so that a step of 1/2 has rounding for its only error.
TEST_P(CrossSlope, GradientsAreDifferenceQuotients) {
  const CrossShape s = shape();
  Inputs in(s);
  in.residual.assign(in.residual.size(), 0.0F);
  const Results got = through_kernels(device(), s, in, true);
  const auto objective = [&] {
    const Values y = through_kernels(device(), s, in, true).y;
    double sum = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum += double{in.dy[i]} * y[i];
    }
    return sum;
  };
  const auto check = [&](Values& of, const Values& gradient, const char* name) {
    testing::expect_slopes(of, gradient, 0.5F, 2e-5, name, objective);
  };
  check(in.x0, got.dx0, "x0");
  check(in.x, got.dx, "x");
  check(in.w, got.dw, "w");
  check(in.b, got.db, "b");
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrossSlope, testing::on_every_device(CrossShape{3, 5}),
                         testing::device_and_number<CrossSlope::ParamType>);

TEST(CrossLayerChecks, RefusesNullAndNegativeSizes) {
  float v = 0.0F;
  EXPECT_THROW(cross_layer({}, {1, 1}, {&v, &v, nullptr, &v}, &v, nullptr), Error);
  EXPECT_THROW(cross_layer({}, {-1, 1}, {&v, &v, &v, &v}, &v, nullptr), Error);
  EXPECT_THROW(
      cross_layer_backward({}, {1, 1}, {&v, &v, &v, nullptr, &v, nullptr}, {&v, &v, &v, &v}),
      Error);
  EXPECT_THROW(cross_layer_backward({}, {0, 1}, {}, {&v, &v, nullptr, &v}), Error);
}

}  // namespace
}  // namespace rallrec::kernels
