#include "kernels/activation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;
using Values = std::vector<float>;

constexpr Activation kAll[] = {Activation::kNone, Activation::kRelu, Activation::kGelu,
                               Activation::kTanh};

double value_of(Activation activation, double x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return std::fmax(x, 0.0);
    case Activation::kGelu:
      return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::kTanh:
      return std::tanh(x);
  }
  return NAN;
}

// A central difference of value_of, but where it has a corner.
double slope_of(Activation activation, double x) {
  if (activation == Activation::kRelu) {
    return x > 0.0 ? 1.0 : 0.0;
  }
  constexpr double kStep = 1e-5;
  return (value_of(activation, x + kStep) - value_of(activation, x - kStep)) / (2.0 * kStep);
}

// Random ones up to 12 and what lies at the borders of the formulas.
Values inputs(std::int64_t count) {
  Values x = random_floats(count, 1, 3.0F);
  const Values special = {0.0F,    -0.0F, 1e-30F, -1e-6F, 0.624F, -0.626F, -3.0F,
                          -4.999F, 6.0F,  -12.0F, 30.0F,  -30.0F, 80.0F};
  for (std::size_t i = 0; i < std::min(x.size(), special.size()); ++i) {
    x[i] = special[i];
  }
  return x;
}

class Activations : public testing::DeviceTest<std::int64_t> {};

TEST_P(Activations, ForwardAndBackwardFollowTheFormula) {
  const std::int64_t count = shape();
  const Values host_x = inputs(count);
  const Values host_dy = random_floats(count, 2);
  const auto x = on_device(host_x);
  const auto dy = on_device(host_dy);
  const auto y = empty<float>(count);
  const auto dx = empty<float>(count);
  for (const Activation activation : kAll) {
    activate(queue(), activation, count, x.get(), y.get());
    activate_backward(queue(), activation, count, x.get(), dy.get(), dx.get());
    const Values got = y.host();
    const Values slopes = dx.host();
    for (std::size_t i = 0; i < host_x.size(); ++i) {
      const double want = value_of(activation, host_x[i]);
      const bool tail = activation == Activation::kGelu && host_x[i] < -3.0F;
      ASSERT_NEAR(got[i], want, tail ? 1e-8 : 2e-6 * std::fabs(want))
          << static_cast<int>(activation) << ' ' << host_x[i];
      ASSERT_NEAR(slopes[i], slope_of(activation, host_x[i]) * host_dy[i],
                  2e-6 * std::fabs(host_dy[i]))
          << static_cast<int>(activation) << ' ' << host_x[i];
    }
  }
}

TEST_P(Activations, ResultsMayLieOnAnInput) {
  const std::int64_t count = shape();
  const auto x = on_device(inputs(count));
  const auto dy = on_device(random_floats(count, 2));
  const auto y = empty<float>(count);
  const auto dx = empty<float>(count);
  activate(queue(), Activation::kGelu, count, x.get(), y.get());
  activate_backward(queue(), Activation::kGelu, count, x.get(), dy.get(), dx.get());
  activate_backward(queue(), Activation::kGelu, count, x.get(), dy.get(), dy.get());
  EXPECT_EQ(dy.host(), dx.host());
  activate(queue(), Activation::kGelu, count, x.get(), x.get());
  EXPECT_EQ(x.host(), y.host());
}

TEST_P(Activations, BitsDoNotDependOnThreads) {
  const std::int64_t count = shape();
  const auto x = on_device(inputs(count));
  const auto y = empty<float>(count);
  activate(queue(), Activation::kTanh, count, x.get(), y.get());
  const Values one = y.host();
  testing::ThreadCountGuard threads(3);
  activate(queue(), Activation::kTanh, count, x.get(), y.get());
  EXPECT_EQ(y.host(), one);
}

TEST_P(Activations, ANanStaysOne) {
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(shape(), 1));
  const auto x = on_device(Values(count, std::numeric_limits<float>::quiet_NaN()));
  const auto y = empty<float>(static_cast<std::int64_t>(count));
  for (const Activation activation : kAll) {
    activate(queue(), activation, static_cast<std::int64_t>(count), x.get(), y.get());
    for (const float value : y.host()) {
      ASSERT_TRUE(std::isnan(value)) << static_cast<int>(activation);
    }
  }
}

// 2048 · 128 is a layer of a CTR tower.
INSTANTIATE_TEST_SUITE_P(Counts, Activations,
                         testing::on_every_device(std::int64_t{0}, std::int64_t{1},
                                                  std::int64_t{13}, std::int64_t{4099},
                                                  std::int64_t{2048 * 128}),
                         testing::device_and_number<Activations::ParamType>);

TEST(ActivationChecks, RefusesNullAndNegativeSizes) {
  float v = 0.0F;
  EXPECT_THROW(activate({}, Activation::kRelu, 1, &v, nullptr), Error);
  EXPECT_THROW(activate({}, Activation::kRelu, -1, &v, &v), Error);
  EXPECT_THROW(activate_backward({}, Activation::kRelu, 1, &v, nullptr, &v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
