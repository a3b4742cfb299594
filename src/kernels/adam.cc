#include "kernels/adam.h"

#include <cmath>

#include "core/check.h"
#include "kernels/adam_gpu.h"

namespace rallrec::kernels {
namespace {

bool has_work(const detail::AdamArguments& a) {
  RALLREC_CHECK(a.count >= 0, "adam: negative size");
  RALLREC_CHECK(a.count == 0 || (a.gradient != nullptr && a.parameters != nullptr &&
                                 a.first_moment != nullptr && a.second_moment != nullptr),
                "adam: null input or result");
  return a.count > 0;
}

}  // namespace

AdamRates adam_rates(double learning_rate, std::int64_t step) {
  RALLREC_CHECK(step >= 1, "adam_rates: updates count from 1");
  const double correction1 = 1.0 - std::pow(kAdamBeta1, static_cast<double>(step));
  const double correction2 = 1.0 - std::pow(kAdamBeta2, static_cast<double>(step));
  return {static_cast<float>(learning_rate / correction1),
          static_cast<float>(std::sqrt(correction2))};
}

void adam(const Queue& queue, const AdamRates& rates, std::int64_t count, const float* gradient,
          float* parameters, float* first_moment, float* second_moment) {
  const detail::AdamArguments arguments{count, gradient, parameters, first_moment, second_moment};
  if (!has_work(arguments)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::adam_gpu(queue, rates, nullptr, arguments);
  } else {
    adam_cpu(rates, count, gradient, parameters, first_moment, second_moment);
  }
}

void adam_by_stored_rates(const Queue& queue, const AdamRates* rates, std::int64_t count,
                          const float* gradient, float* parameters, float* first_moment,
                          float* second_moment) {
  const detail::AdamArguments arguments{count, gradient, parameters, first_moment, second_moment};
  RALLREC_CHECK(rates != nullptr, "adam_by_stored_rates: null input");
  if (!has_work(arguments)) {
    return;
  }
  if (queue.device == Device::kCuda) {
    detail::adam_gpu(queue, {}, rates, arguments);
  } else {
    adam_cpu(*rates, count, gradient, parameters, first_moment, second_moment);
  }
}

}  // namespace rallrec::kernels
