#pragma once

#include <cmath>

namespace rallrec::metrics {

// A sum that carries its rounding errors along (Neumaier 1974): as if added in twice the precision.
class CompensatedSum {
 public:
  void add(double value) {
    const double next = sum_ + value;
    const bool sum_is_larger = std::fabs(sum_) >= std::fabs(value);
    error_ += sum_is_larger ? (sum_ - next) + value : (value - next) + sum_;
    sum_ = next;
  }
  double value() const { return sum_ + error_; }

 private:
  double sum_ = 0.0;
  double error_ = 0.0;
};

}  // namespace rallrec::metrics
