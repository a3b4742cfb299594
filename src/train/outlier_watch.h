#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace rallrec::train {

// Finds values that stand out from the last kWindow ones: z = (value − mean) / deviation, both of
// the values before it.
class OutlierWatch {
 public:
  static constexpr std::size_t kWindow = 128;
  // With fewer values before it nothing is judged.
  static constexpr std::size_t kFewest = 16;
  // |z| from which a value is an outlier.
  static constexpr double kThreshold = 6.0;

  OutlierWatch() = default;
  // Goes on after these values, the oldest first; only the last kWindow count.
  explicit OutlierWatch(std::vector<double> values);

  // Takes the value in and returns its z where it is an outlier. What is not finite is no value.
  std::optional<double> outlier(double value);

  // At most kWindow, the oldest first.
  const std::vector<double>& values() const { return values_; }

 private:
  std::vector<double> values_;
};

}  // namespace rallrec::train
