#include "kernels/rms_norm.h"

#include <cmath>
#include <vector>

#include "core/parallel_for.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

struct Shape {
  std::int64_t rows;
  std::int64_t columns;
};

class RmsNorm : public testing::DeviceTest<Shape> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    set_thread_count(2);
  }
  void TearDown() override { set_thread_count(1); }
};

// What the formulas say in double.
struct Wanted {
  std::vector<double> inverse, y, dx;
};

Wanted formula(const Shape& shape, double eps, const std::vector<float>& x,
               const std::vector<float>& weight, const std::vector<float>& dy,
               const std::vector<float>& residual) {
  const auto n = static_cast<std::size_t>(shape.columns);
  Wanted wanted;
  for (std::size_t first = 0; first < x.size(); first += n) {
    double squares = 0.0;
    double along = 0.0;
    for (std::size_t c = 0; c < n; ++c) {
      squares += double(x[first + c]) * x[first + c];
      along += double(weight[c]) * dy[first + c] * x[first + c];
    }
    const double r = 1.0 / std::sqrt(squares / double(n) + eps);
    wanted.inverse.push_back(r);
    for (std::size_t c = 0; c < n; ++c) {
      const double v = x[first + c];
      wanted.y.push_back(weight[c] * v * r);
      wanted.dx.push_back(residual[first + c] + double(weight[c]) * dy[first + c] * r -
                          v * r * r * r * along / double(n));
    }
  }
  return wanted;
}

void expect_near(const std::vector<float>& got, const std::vector<double>& want, double tolerance) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], tolerance) << i;
  }
}

TEST_P(RmsNorm, ForwardAndBackwardFollowTheFormula) {
  const auto [rows, n] = shape();
  const auto host_x = testing::random_floats(rows * n, 1, 2.0F);
  const auto host_weight = testing::random_floats(n, 2, 2.0F);
  const auto host_dy = testing::random_floats(rows * n, 3, 2.0F);
  const auto host_residual = testing::random_floats(rows * n, 4, 2.0F);
  const auto x = on_device(host_x);
  const auto weight = on_device(host_weight);
  const auto dy = on_device(host_dy);
  const auto residual = on_device(host_residual);
  const auto y = empty<float>(rows * n);
  const auto dx = empty<float>(rows * n);
  const auto inverse = empty<float>(rows);
  rms_norm(queue(), rows, n, 0.01F, x.get(), weight.get(), y.get(), inverse.get());
  rms_norm_backward(queue(), rows, n, x.get(), weight.get(), inverse.get(), dy.get(),
                    residual.get(), dx.get());
  const Wanted wanted = formula(shape(), 0.01F, host_x, host_weight, host_dy, host_residual);
  expect_near(inverse.host(), wanted.inverse, 1e-5);
  expect_near(y.host(), wanted.y, 1e-5);
  expect_near(dx.host(), wanted.dx, 1e-4);

  const auto in_place = on_device(host_x);
  rms_norm_backward(queue(), rows, n, in_place.get(), weight.get(), inverse.get(), dy.get(),
                    residual.get(), in_place.get());
  EXPECT_EQ(in_place.host(), dx.host());
  rms_norm(queue(), rows, n, 0.01F, x.get(), weight.get(), x.get(), nullptr);
  EXPECT_EQ(x.host(), y.host());
}

TEST_P(RmsNorm, BackwardWithoutAResidualLeavesItOut) {
  const auto [rows, n] = shape();
  const std::vector<float> none(static_cast<std::size_t>(rows * n));
  const auto host_x = testing::random_floats(rows * n, 5);
  const auto host_weight = testing::random_floats(n, 6);
  const auto host_dy = testing::random_floats(rows * n, 7);
  const auto x = on_device(host_x);
  const auto weight = on_device(host_weight);
  const auto dy = on_device(host_dy);
  const auto inverse = empty<float>(rows);
  rms_norm(queue(), rows, n, 0.5F, x.get(), weight.get(), x.get(), inverse.get());
  const auto again = on_device(host_x);
  rms_norm_backward(queue(), rows, n, again.get(), weight.get(), inverse.get(), dy.get(), nullptr,
                    dy.get());
  expect_near(dy.host(), formula(shape(), 0.5, host_x, host_weight, host_dy, none).dx, 2e-5);
}

// Rows 0, 1 and enough for several threads and blocks; columns below, at and beyond a vector, a
// warp and a block; 576 and 4096 are those of SmolLM2-135M and Llama-3.1-8B.
INSTANTIATE_TEST_SUITE_P(Shapes, RmsNorm,
                         testing::on_every_device(Shape{0, 5}, Shape{1, 1}, Shape{3, 7},
                                                  Shape{40, 64}, Shape{65, 577}, Shape{17, 576},
                                                  Shape{2, 5000}, Shape{3, 4096}, Shape{2, 1025}),
                         testing::device_and_number<RmsNorm::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
