#include "train/adam.h"

#include <cmath>
#include <utility>

#include "core/check.h"
#include "core/parallel_for.h"

namespace rallrec::train {
namespace {

constexpr double kBeta1 = 0.9;
constexpr double kBeta2 = 0.999;
constexpr double kEpsilon = 1e-8;
constexpr std::int64_t kGrain = 1 << 15;

}  // namespace

Adam::Adam(std::int64_t parameters)
    : first_moment_(static_cast<std::size_t>(parameters), 0.0F),
      second_moment_(static_cast<std::size_t>(parameters), 0.0F) {}

Adam::Adam(std::vector<float> first_moment, std::vector<float> second_moment, std::int64_t steps)
    : first_moment_(std::move(first_moment)),
      second_moment_(std::move(second_moment)),
      steps_(steps) {
  RALLREC_CHECK(first_moment_.size() == second_moment_.size(), "Adam: moments differ in length");
}

void Adam::step(float* parameters, const float* gradient, double learning_rate) {
  ++steps_;
  const double correction1 = 1.0 - std::pow(kBeta1, static_cast<double>(steps_));
  const double correction2 = 1.0 - std::pow(kBeta2, static_cast<double>(steps_));
  const auto step_size = static_cast<float>(learning_rate / correction1);
  const auto root_correction = static_cast<float>(std::sqrt(correction2));
  parallel_for(size(), kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float g = gradient[i];
      float& m = first_moment_[i];
      float& v = second_moment_[i];
      m += static_cast<float>(1.0 - kBeta1) * (g - m);
      v = static_cast<float>(kBeta2) * v + static_cast<float>(1.0 - kBeta2) * g * g;
      const float denominator = std::sqrt(v) / root_correction + static_cast<float>(kEpsilon);
      parameters[i] -= step_size * (m / denominator);
    }
  });
}

}  // namespace rallrec::train
