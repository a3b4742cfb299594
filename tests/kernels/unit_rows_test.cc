#include "kernels/unit_rows.h"

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
using rallrec::testing::random_floats;
using rallrec::testing::TestDevice;
using Values = std::vector<float>;

struct Shape {
  std::int64_t rows;
  std::int64_t columns;
};

struct Results {
  Values y, norms, dx;
};

Results through_kernels(TestDevice& device, const Shape& s, const Values& host_x,
                        const Values& host_dy) {
  const DeviceArray<float> x(device, host_x), dy(device, host_dy);
  const DeviceArray<float> y(device, host_x.size()), dx(device, host_x.size());
  const DeviceArray<float> norms(device, static_cast<std::size_t>(s.rows));
  unit_rows(device.queue(), s.rows, s.columns, x.get(), y.get(), norms.get());
  unit_rows_backward(device.queue(), s.rows, s.columns, y.get(), norms.get(), dy.get(), dx.get());
  return {y.host(), norms.host(), dx.host()};
}

class UnitRows : public testing::DeviceTest<Shape> {
 protected:
  Values x() const { return random_floats(shape().rows * shape().columns, 1, 3.0F); }
  Values dy() const { return random_floats(shape().rows * shape().columns, 2); }
};

// d(x_c / ‖x‖)/dx_k = δ_ck / ‖x‖ - x_c x_k / ‖x‖³, summed over c.
TEST_P(UnitRows, ForwardAndBackwardFollowTheFormula) {
  const auto n = static_cast<std::size_t>(shape().columns);
  const Values in = x(), slopes = dy();
  const Results got = through_kernels(device(), shape(), in, slopes);
  for (std::size_t row = 0; row < static_cast<std::size_t>(shape().rows); ++row) {
    double squares = 0.0;
    for (std::size_t c = 0; c < n; ++c) {
      squares += double{in[row * n + c]} * in[row * n + c];
    }
    const double norm = std::sqrt(squares);
    ASSERT_NEAR(got.norms[row], norm, 1e-6 * norm);
    for (std::size_t k = 0; k < n; ++k) {
      const double x_k = in[row * n + k];
      double want = slopes[row * n + k] / norm;
      double magnitude = std::fabs(want);
      for (std::size_t c = 0; c < n; ++c) {
        const double term = slopes[row * n + c] * in[row * n + c] * x_k / (norm * squares);
        want -= term;
        magnitude += std::fabs(term);
      }
      ASSERT_NEAR(got.y[row * n + k], x_k / norm, 1e-6) << row << ' ' << k;
      ASSERT_NEAR(got.dx[row * n + k], want, 1e-6 * magnitude) << row << ' ' << k;
    }
  }
}

TEST_P(UnitRows, ResultsMayLieOnAnInput) {
  const Results want = through_kernels(device(), shape(), x(), dy());
  const auto rows = on_device(x());
  const auto gradient = on_device(dy());
  const auto norms = empty<float>(shape().rows);
  unit_rows(queue(), shape().rows, shape().columns, rows.get(), rows.get(), norms.get());
  EXPECT_EQ(rows.host(), want.y);
  unit_rows_backward(queue(), shape().rows, shape().columns, rows.get(), norms.get(),
                     gradient.get(), gradient.get());
  EXPECT_EQ(gradient.host(), want.dx);
}

TEST_P(UnitRows, AZeroRowStaysZeroAndPassesNothingBack) {
  Values in = x();
  const auto n = static_cast<std::size_t>(shape().columns);
  std::fill_n(in.begin(), shape().rows > 0 ? n : 0, 0.0F);
  const Results got = through_kernels(device(), shape(), in, dy());
  for (std::size_t c = 0; shape().rows > 0 && c < n; ++c) {
    EXPECT_EQ(got.y[c], 0.0F);
    EXPECT_EQ(got.dx[c], 0.0F);
  }
}

TEST_P(UnitRows, BitsDoNotDependOnThreads) {
  const Results one = through_kernels(device(), shape(), x(), dy());
  testing::ThreadCountGuard threads(3);
  const Results many = through_kernels(device(), shape(), x(), dy());
  EXPECT_EQ(one.y, many.y);
  EXPECT_EQ(one.dx, many.dx);
}

// No rows, no columns; rows below and beyond a block, columns below, at and beyond a warp and a
// vector. 64 is the width of the paper's graph embeddings.
INSTANTIATE_TEST_SUITE_P(Shapes, UnitRows,
                         testing::on_every_device(Shape{0, 5}, Shape{3, 0}, Shape{1, 1},
                                                  Shape{9, 7}, Shape{8, 32}, Shape{33, 33},
                                                  Shape{300, 64}, Shape{5, 577}),
                         testing::device_and_number<UnitRows::ParamType>);

class UnitRowsSlope : public testing::DeviceTest<Shape> {};

TEST_P(UnitRowsSlope, GradientsAreDifferenceQuotients) {
  Values in = random_floats(shape().rows * shape().columns, 3);
  const Values dy = random_floats(shape().rows * shape().columns, 4);
  const Values dx = through_kernels(device(), shape(), in, dy).dx;
  testing::expect_slopes(in, dx, 1e-2F, 2e-4, "x", [&] {
    const Values y = through_kernels(device(), shape(), in, dy).y;
    double sum = 0.0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      sum += double{dy[i]} * y[i];
    }
    return sum;
  });
}

INSTANTIATE_TEST_SUITE_P(Shapes, UnitRowsSlope, testing::on_every_device(Shape{3, 5}),
                         testing::device_and_number<UnitRowsSlope::ParamType>);

TEST(UnitRowsChecks, RefusesNullAndNegativeSizes) {
  float v = 0.0F;
  EXPECT_THROW(unit_rows({}, 1, 1, &v, nullptr, &v), Error);
  EXPECT_THROW(unit_rows({}, -1, 1, &v, &v, &v), Error);
  EXPECT_THROW(unit_rows_backward({}, 1, 1, &v, nullptr, &v, &v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
