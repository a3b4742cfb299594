#include "train/gradient_clip.h"

#include <cmath>

namespace rallrec::train {

double global_norm(const float* values, std::int64_t count) {
  double sum = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  }
  return std::sqrt(sum);
}

void clip_to_norm(float* gradient, std::int64_t count, double norm, double max_norm) {
  if (max_norm <= 0.0 || norm <= max_norm) {
    return;
  }
  const auto scale = static_cast<float>(max_norm / (norm + 1e-6));
  for (std::int64_t i = 0; i < count; ++i) {
    gradient[i] *= scale;
  }
}

}  // namespace rallrec::train
