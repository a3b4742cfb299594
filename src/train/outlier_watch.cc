#include "train/outlier_watch.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace rallrec::train {
namespace {

// Values that hardly differ are no measure of how far off another one is.
constexpr double kSmallestRelativeDeviation = 1e-3;

double z_of(double value, const std::vector<double>& before) {
  const auto count = static_cast<double>(before.size());
  const double mean = std::accumulate(before.begin(), before.end(), 0.0) / count;
  double squares = 0.0;
  for (const double one : before) {
    squares += (one - mean) * (one - mean);
  }
  const double deviation =
      std::max(std::sqrt(squares / count), kSmallestRelativeDeviation * std::fabs(mean));
  return value == mean ? 0.0 : (value - mean) / deviation;
}

void keep_last(std::vector<double>& values) {
  if (values.size() > OutlierWatch::kWindow) {
    values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(OutlierWatch::kWindow));
  }
}

}  // namespace

OutlierWatch::OutlierWatch(std::vector<double> values) : values_(std::move(values)) {
  keep_last(values_);
}

std::optional<double> OutlierWatch::outlier(double value) {
  if (!std::isfinite(value)) {
    return std::nullopt;
  }
  const double z = values_.size() < kFewest ? 0.0 : z_of(value, values_);
  values_.push_back(value);
  keep_last(values_);
  // Not |z| < threshold: equal values of 0 that something else follows give an infinite z.
  return std::fabs(z) >= kThreshold ? std::optional<double>(z) : std::nullopt;
}

}  // namespace rallrec::train
