#include <cmath>

#include "core/parallel_for.h"
#include "kernels/adam.h"

namespace rallrec::kernels {

void adam_cpu(const AdamRates& rates, std::int64_t count, const float* gradient, float* parameters,
              float* first_moment, float* second_moment) {
  constexpr std::int64_t kGrain = 1 << 15;
  parallel_for(count, kGrain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const float g = gradient[i];
      float& m = first_moment[i];
      float& v = second_moment[i];
      m += static_cast<float>(1.0 - kAdamBeta1) * (g - m);
      v = static_cast<float>(kAdamBeta2) * v + static_cast<float>(1.0 - kAdamBeta2) * g * g;
      const float denominator =
          std::sqrt(v) / rates.root_correction + static_cast<float>(kAdamEpsilon);
      parameters[i] -= rates.step_size * (m / denominator);
    }
  });
}

}  // namespace rallrec::kernels
