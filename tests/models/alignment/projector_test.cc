#include "models/alignment/projector.h"

#include <cmath>
#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/exact_sums.h"
#include "tests/support/random_floats.h"

namespace rallrec::models {
namespace {

using rallrec::testing::random_floats;
using Values = std::vector<float>;

constexpr std::int64_t kRows = 5;
const ProjectorShape kShape{20, 7, 3, "gelu"};

double activated(const std::string& activation, double x) {
  if (activation == "relu") {
    return std::fmax(x, 0.0);
  }
  return activation == "gelu" ? 0.5 * x * (1.0 + std::erf(x / std::sqrt(2.0)))
                              : 1.0 - 2.0 / (std::exp(2.0 * x) + 1.0);
}

// y = W x + b of one row, from the parameters at `weight`, which the bias follows.
std::vector<double> layer(const float* weight, const std::vector<double>& x, std::int64_t outputs) {
  const auto inputs = static_cast<std::int64_t>(x.size());
  std::vector<double> y;
  for (std::int64_t o = 0; o < outputs; ++o) {
    double sum = weight[outputs * inputs + o];
    for (std::int64_t i = 0; i < inputs; ++i) {
      sum += weight[o * inputs + i] * x[i];
    }
    y.push_back(sum);
  }
  return y;
}

std::vector<double> formula(const ProjectorShape& shape, const Values& parameters,
                            const float* text) {
  auto hidden = layer(parameters.data(), {text, text + shape.input}, shape.hidden);
  for (double& value : hidden) {
    value = activated(shape.activation, value);
  }
  return layer(parameters.data() + shape.hidden * (shape.input + 1), hidden, shape.output);
}

class ProjectorOnDevices : public rallrec::testing::DeviceTest<std::string> {
 protected:
  ProjectorShape sizes() const { return {20, 7, 3, shape()}; }

  Values forward(const Projector& projector, const Values& text) {
    const auto input = on_device(text);
    const auto z = empty<float>(kRows * kShape.output);
    ProjectorActivations activations(queue(), "");
    projector.forward(kRows, input.get(), activations, z.get());
    return z.host();
  }
};

TEST_P(ProjectorOnDevices, IsTheFormula) {
  const Projector projector(sizes(), 9, queue());
  const Values parameters = projector.parameters().host();
  ASSERT_EQ(static_cast<std::int64_t>(parameters.size()), sizes().parameters());
  const Values text = random_floats(kRows * kShape.input, 1);
  const Values z = forward(projector, text);
  for (std::int64_t row = 0; row < kRows; ++row) {
    const auto want = formula(sizes(), parameters, text.data() + row * kShape.input);
    for (std::int64_t o = 0; o < kShape.output; ++o) {
      EXPECT_NEAR(z[row * kShape.output + o], want[o], 1e-5);
    }
  }
}

// Of Σ dz · z, by the parameters, in two parts of the rows.
TEST_P(ProjectorOnDevices, GradientsAreDifferenceQuotients) {
  Projector projector(sizes(), 9, queue());
  const Values text = random_floats(kRows * kShape.input, 2);
  const Values slopes = random_floats(kRows * kShape.output, 3);
  const auto input = on_device(text);
  const auto dz = on_device(slopes);
  const auto z = empty<float>(kRows * kShape.output);
  ProjectorActivations activations(queue(), "");
  projector.forward(kRows, input.get(), activations, z.get());
  projector.backward_rows(kRows, dz.get(), activations);
  Values gradient(projector.parameters().size());
  for (const auto& [first, rows] : {std::pair{0, 2}, std::pair{2, 3}}) {
    const auto part = empty<float>(sizes().parameters());
    projector.backward_parameters(first, rows, input.get(), dz.get(), activations, part.get());
    const Values values = part.host();
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] += values[i];
    }
  }
  Values parameters = projector.parameters().host();
  rallrec::testing::expect_slopes(parameters, gradient, 1e-4F, 2e-3, shape(), [&] {
    double sum = 0.0;
    for (std::int64_t row = 0; row < kRows; ++row) {
      const auto values = formula(sizes(), parameters, text.data() + row * kShape.input);
      for (std::int64_t o = 0; o < kShape.output; ++o) {
        sum += slopes[row * kShape.output + o] * values[o];
      }
    }
    return sum;
  });
}

INSTANTIATE_TEST_SUITE_P(Activations, ProjectorOnDevices,
                         rallrec::testing::on_every_device(std::string("relu"), std::string("gelu"),
                                                           std::string("tanh")),
                         rallrec::testing::device_and_number<ProjectorOnDevices::ParamType>);

TEST(Projector, StartsFromTheSeedAlone) {
  const Values a = Projector(kShape, 4, {}).parameters().host();
  EXPECT_EQ(Projector(kShape, 4, {}).parameters().host(), a);
  EXPECT_NE(Projector(kShape, 5, {}).parameters().host(), a);
  for (const float value : a) {
    EXPECT_LE(std::fabs(value), 1.0 / std::sqrt(7.0));
  }
}

TEST(Projector, RefusesWhatItIsNot) {
  EXPECT_THROW(Projector({2, 2, 2, "selu"}, 1, {}), Error);
  EXPECT_THROW(Projector({2, 0, 2, "relu"}, 1, {}), Error);
}

}  // namespace
}  // namespace rallrec::models
