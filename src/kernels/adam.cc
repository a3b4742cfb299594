#include "kernels/adam.h"

#include <cmath>

#include "core/check.h"
#include "kernels/adam_gpu.h"

namespace rallrec::kernels {

AdamRates adam_rates(double learning_rate, std::int64_t step) {
  RALLREC_CHECK(step >= 1, "adam_rates: updates count from 1");
  const double correction1 = 1.0 - std::pow(kAdamBeta1, static_cast<double>(step));
  const double correction2 = 1.0 - std::pow(kAdamBeta2, static_cast<double>(step));
  return {static_cast<float>(learning_rate / correction1),
          static_cast<float>(std::sqrt(correction2))};
}

void adam(const Queue& queue, const AdamRates& rates, std::int64_t count, const float* gradient,
          float* parameters, float* first_moment, float* second_moment) {
  RALLREC_CHECK(count >= 0, "adam: negative size");
  if (count == 0) {
    return;
  }
  RALLREC_CHECK(gradient != nullptr && parameters != nullptr && first_moment != nullptr &&
                    second_moment != nullptr,
                "adam: null input or result");
  if (queue.device == Device::kCuda) {
    detail::adam_gpu(queue, rates, count, gradient, parameters, first_moment, second_moment);
  } else {
    adam_cpu(rates, count, gradient, parameters, first_moment, second_moment);
  }
}

}  // namespace rallrec::kernels
