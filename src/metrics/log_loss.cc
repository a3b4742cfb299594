#include "metrics/log_loss.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "metrics/compensated_sum.h"

namespace rallrec::metrics {

double sample_log_loss(double p, std::uint8_t label) {
  constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
  // The clipping is on the probability of the label itself: near p = 1, 1 - p would lose its
  // digits.
  const double of_label = label != 0 ? p : 1.0 - p;
  return -std::log(std::clamp(of_label, kEpsilon, 1.0 - kEpsilon));
}

double log_loss(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels) {
  RALLREC_CHECK(scores.size() == labels.size(), "log_loss: as many labels as scores are needed");
  CompensatedSum sum;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    sum.add(sample_log_loss(scores[i], labels[i]));
  }
  return sum.value() / static_cast<double>(scores.size());
}

bool is_correct(double p, std::uint8_t label) { return (p > 0.5) == (label != 0); }

double accuracy(const std::vector<double>& scores, const std::vector<std::uint8_t>& labels) {
  RALLREC_CHECK(scores.size() == labels.size(), "accuracy: as many labels as scores are needed");
  std::size_t correct = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    correct += is_correct(scores[i], labels[i]) ? 1 : 0;
  }
  return static_cast<double>(correct) / static_cast<double>(scores.size());
}

}  // namespace rallrec::metrics
