#include "train/adam.h"

#include <utility>

#include "core/check.h"
#include "kernels/adam.h"

namespace rallrec::train {

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
  kernels::adam({}, kernels::adam_rates(learning_rate, steps_), size(), gradient, parameters,
                first_moment_.data(), second_moment_.data());
}

}  // namespace rallrec::train
