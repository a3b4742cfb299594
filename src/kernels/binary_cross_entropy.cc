#include "kernels/binary_cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "kernels/binary_cross_entropy_gpu.h"

namespace rallrec::kernels {
namespace {

double loss_of(double logit, std::uint8_t label) {
  const double margin = label != 0 ? logit : -logit;
  return std::max(-margin, 0.0) + std::log1p(std::exp(-std::fabs(margin)));
}

}  // namespace

double probability_of_logit(double logit) {
  return logit >= 0.0 ? 1.0 / (1.0 + std::exp(-logit)) : std::exp(logit) / (1.0 + std::exp(logit));
}

void binary_cross_entropy(const Queue& queue, std::int64_t count, const float* logits,
                          const std::uint8_t* labels, double divisor, float* slopes,
                          double* loss_sum) {
  RALLREC_CHECK(count >= 0, "binary_cross_entropy: negative size");
  RALLREC_CHECK(divisor > 0.0, "binary_cross_entropy: the divisor must be positive");
  RALLREC_CHECK(loss_sum != nullptr &&
                    (count == 0 || (logits != nullptr && labels != nullptr && slopes != nullptr)),
                "binary_cross_entropy: null input or result");
  if (queue.device == Device::kCuda) {
    detail::binary_cross_entropy_gpu(queue, count, logits, labels, divisor, slopes, loss_sum);
    return;
  }
  double sum = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    sum += loss_of(logits[i], labels[i]);
    slopes[i] = static_cast<float>((probability_of_logit(logits[i]) - labels[i]) / divisor);
  }
  *loss_sum = sum;
}

}  // namespace rallrec::kernels
