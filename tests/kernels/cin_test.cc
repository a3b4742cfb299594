#include "kernels/cin.h"

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
  explicit Inputs(const CinShape& s)
      : x0(random_floats(s.batch * s.fields * s.dim, 1)),
        x(random_floats(s.batch * s.maps_in * s.dim, 2)),
        w(random_floats(s.maps_out * s.pairs(), 3)),
        dy(random_floats(s.batch * s.maps_out * s.dim, 4)),
        dpooled(random_floats(s.batch * s.maps_out, 5)) {}

  Values x0, x, w, dy, dpooled;
};

struct Results {
  Values y, pooled, dx0, dx, dw;
};

// What reaches the backward pass.
enum class Reaches { kBoth, kOutput, kPooled };

Results through_kernels(TestDevice& device, const CinShape& s, const Inputs& in, Reaches reaches) {
  const DeviceArray<float> x0(device, in.x0), x(device, in.x), w(device, in.w);
  const DeviceArray<float> dy(device, in.dy), dpooled(device, in.dpooled);
  const DeviceArray<float> y(device, in.dy.size()), pooled(device, in.dpooled.size());
  const DeviceArray<float> dx0(device, in.x0.size()), dx(device, in.x.size());
  const DeviceArray<float> dw(device, in.w.size());
  const CinInput input{x0.get(), x.get(), w.get()};
  cin(device.queue(), s, input, y.get(), pooled.get());
  cin_backward(device.queue(), s, input,
               {reaches == Reaches::kPooled ? nullptr : dy.get(),
                reaches == Reaches::kOutput ? nullptr : dpooled.get()},
               {dx0.get(), dx.get(), dw.get()});
  return {y.host(), pooled.host(), dx0.host(), dx.host(), dw.host()};
}

// The five sums, one term of all indices after the other.
struct Formula {
  Formula(const CinShape& s, const Inputs& in, Reaches reaches)
      : y(in.dy.size()),
        pooled(in.dpooled.size()),
        dx0(in.x0.size()),
        dx(in.x.size()),
        dw(in.w.size()) {
    for (std::int64_t row = 0; row < s.batch * s.maps_out; ++row) {
      for (std::int64_t d = 0; d < s.dim; ++d) {
        const double direct = reaches == Reaches::kPooled ? 0.0 : in.dy[row * s.dim + d];
        const double through = reaches == Reaches::kOutput ? 0.0 : in.dpooled[row];
        add_element(s, in, row, d, direct + through);
      }
    }
  }

  void add_element(const CinShape& s, const Inputs& in, std::int64_t row, std::int64_t d,
                   double g) {
    const std::int64_t b = row / s.maps_out;
    const std::int64_t h = row % s.maps_out;
    for (std::int64_t i = 0; i < s.maps_in; ++i) {
      const std::int64_t at = (b * s.maps_in + i) * s.dim + d;
      for (std::int64_t j = 0; j < s.fields; ++j) {
        const std::int64_t at0 = (b * s.fields + j) * s.dim + d;
        const std::int64_t weight = (h * s.maps_in + i) * s.fields + j;
        const double x = in.x[at];
        const double x0 = in.x0[at0];
        const double w = in.w[weight];
        y.add(row * s.dim + d, w * x * x0);
        pooled.add(row, w * x * x0);
        dx.add(at, g * w * x0);
        dx0.add(at0, g * w * x);
        dw.add(weight, g * x * x0);
      }
    }
  }

  ExactSums y, pooled, dx0, dx, dw;
};

class Cin : public testing::DeviceTest<CinShape> {};

TEST_P(Cin, ForwardAndBackwardFollowTheFormula) {
  const Inputs in(shape());
  for (const Reaches reaches : {Reaches::kBoth, Reaches::kOutput, Reaches::kPooled}) {
    const Formula want(shape(), in, reaches);
    const Results got = through_kernels(device(), shape(), in, reaches);
    expect_near(got.y, want.y, "y");
    expect_near(got.pooled, want.pooled, "pooled");
    expect_near(got.dx0, want.dx0, "dx0");
    expect_near(got.dx, want.dx, "dx");
    expect_near(got.dw, want.dw, "dw");
  }
}

TEST_P(Cin, BitsDoNotDependOnThreads) {
  const Inputs in(shape());
  const Results one = through_kernels(device(), shape(), in, Reaches::kBoth);
  ThreadCountGuard threads(2);
  const Results two = through_kernels(device(), shape(), in, Reaches::kBoth);
  EXPECT_EQ(one.y, two.y);
  EXPECT_EQ(one.pooled, two.pooled);
  EXPECT_EQ(one.dx0, two.dx0);
  EXPECT_EQ(one.dx, two.dx);
  EXPECT_EQ(one.dw, two.dw);
}

// batch, dim, fields, maps_in, maps_out. Each size 0 and 1; tiles of 64 positions, 64 pairs and 64
// output maps not filled, filled and overrun, with samples across the border of a tile; 9 fields of
// 16 with 50 maps are the paper's (its first layer and its second), at a smaller batch.
INSTANTIATE_TEST_SUITE_P(
    Shapes, Cin,
    testing::on_every_device(CinShape{0, 4, 3, 2, 5}, CinShape{2, 0, 3, 2, 5},
                             CinShape{2, 4, 0, 2, 5}, CinShape{2, 4, 3, 0, 5},
                             CinShape{2, 4, 3, 2, 0}, CinShape{1, 1, 1, 1, 1},
                             CinShape{3, 7, 2, 5, 3}, CinShape{9, 10, 7, 11, 6},
                             CinShape{5, 16, 67, 2, 3}, CinShape{4, 16, 3, 2, 70},
                             CinShape{3, 33, 8, 8, 64}, CinShape{20, 16, 9, 9, 50},
                             CinShape{17, 16, 9, 50, 50}),
    testing::device_and_number<Cin::ParamType>);

class CinLarge : public testing::DeviceTest<CinShape> {};

// A batch of several parts on either device, against the sums in double of a few chosen elements.
TEST_P(CinLarge, WeightGradientSumsTheWholeBatch) {
  const CinShape s = shape();
  const Inputs in(s);
  const Results got = through_kernels(device(), s, in, Reaches::kOutput);
  for (std::int64_t e = 0; e < s.maps_out * s.pairs(); e += 37) {
    const std::int64_t h = e / s.pairs();
    const std::int64_t i = e % s.pairs() / s.fields;
    const std::int64_t j = e % s.fields;
    double sum = 0.0;
    double magnitude = 0.0;
    for (std::int64_t b = 0; b < s.batch; ++b) {
      for (std::int64_t d = 0; d < s.dim; ++d) {
        const double term = double{in.dy[(b * s.maps_out + h) * s.dim + d]} *
                            in.x[(b * s.maps_in + i) * s.dim + d] *
                            in.x0[(b * s.fields + j) * s.dim + d];
        sum += term;
        magnitude += std::fabs(term);
      }
    }
    ASSERT_NEAR(got.dw[static_cast<std::size_t>(e)], sum, 1e-6 * magnitude) << e;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, CinLarge, testing::on_every_device(CinShape{300, 16, 9, 9, 13}),
                         testing::device_and_number<CinLarge::ParamType>);

class CinSlope : public testing::DeviceTest<CinShape> {};

// The gradient of Σ dy · y + Σ dpooled · pooled as a quotient of differences of the kernel's own
// forward pass. It is linear in each single value of x0, x and w: rounding is the only error.
TEST_P(CinSlope, GradientsAreDifferenceQuotients) {
  const CinShape s = shape();
  Inputs in(s);
  const Results got = through_kernels(device(), s, in, Reaches::kBoth);
  const auto objective = [&] {
    const Results r = through_kernels(device(), s, in, Reaches::kBoth);
    double sum = 0.0;
    for (std::size_t i = 0; i < r.y.size(); ++i) {
      sum += double{in.dy[i]} * r.y[i];
    }
    for (std::size_t i = 0; i < r.pooled.size(); ++i) {
      sum += double{in.dpooled[i]} * r.pooled[i];
    }
    return sum;
  };
  const auto check = [&](Values& of, const Values& gradient, const char* name) {
    testing::expect_slopes(of, gradient, 0.5F, 5e-5, name, objective);
  };
  check(in.x0, got.dx0, "x0");
  check(in.x, got.dx, "x");
  check(in.w, got.dw, "w");
}

INSTANTIATE_TEST_SUITE_P(Shapes, CinSlope, testing::on_every_device(CinShape{2, 3, 2, 3, 4}),
                         testing::device_and_number<CinSlope::ParamType>);

TEST(CinChecks, RefusesNullAndNegativeSizes) {
  float v = 0.0F;
  const CinShape one{1, 1, 1, 1, 1};
  EXPECT_THROW(cin({}, one, {&v, &v, nullptr}, &v, nullptr), Error);
  EXPECT_THROW(cin({}, one, {&v, &v, &v}, nullptr, &v), Error);
  EXPECT_THROW(cin({}, {1, -1, 1, 1, 1}, {&v, &v, &v}, &v, nullptr), Error);
  EXPECT_THROW(cin_backward({}, one, {&v, &v, &v}, {}, {&v, &v, &v}), Error);
  EXPECT_THROW(cin_backward({}, one, {&v, &v, &v}, {&v, nullptr}, {&v, nullptr, &v}), Error);
}

}  // namespace
}  // namespace rallrec::kernels
