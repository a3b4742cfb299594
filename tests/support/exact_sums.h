#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

namespace rallrec::testing {

// Sums in double and, of each, the sum of the absolute terms, by which its rounding in fp32 is
// judged.
struct ExactSums {
  explicit ExactSums(std::size_t count) : value(count), magnitude(count) {}
  void add(std::size_t i, double term) {
    value[i] += term;
    magnitude[i] += std::fabs(term);
  }
  std::vector<double> value, magnitude;
};

inline void expect_near(const std::vector<float>& got, const ExactSums& want, const char* name) {
  ASSERT_EQ(got.size(), want.value.size()) << name;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want.value[i], 1e-6 * want.magnitude[i]) << name << ' ' << i;
  }
}

// Compares `gradient` with difference quotients of objective(), which depends on `of`, moving each
// value by `step` to either side.
template <typename Objective>
void expect_slopes(std::vector<float>& of, const std::vector<float>& gradient, float step,
                   double tolerance, const std::string& name, const Objective& objective) {
  for (std::size_t i = 0; i < of.size(); ++i) {
    const float before = of[i];
    of[i] = before + step;
    const double up = of[i];
    const double above = objective();
    of[i] = before - step;
    const double moved = up - of[i];
    ASSERT_NEAR(gradient[i], (above - objective()) / moved, tolerance) << name << ' ' << i;
    of[i] = before;
  }
}

}  // namespace rallrec::testing
