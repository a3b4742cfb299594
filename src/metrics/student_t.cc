#include "metrics/student_t.h"

#include <cmath>
#include <limits>

#include "core/check.h"

namespace rallrec::metrics {
namespace {

// The continued fraction of I_x(a, b) by Lentz's method (Numerical Recipes, section 6.4). It
// converges fast for x below (a + 1) / (a + b + 2).
double beta_fraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr int kMostTerms = 10000;
  const auto away_from_zero = [](double value) { return std::fabs(value) < kTiny ? kTiny : value; };
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double fraction = d;
  for (int m = 1; m < kMostTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / away_from_zero(1.0 + even * d);
    c = away_from_zero(1.0 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / away_from_zero(1.0 + odd * d);
    c = away_from_zero(1.0 + odd / c);
    fraction *= d * c;
    if (std::fabs(d * c - 1.0) < std::numeric_limits<double>::epsilon()) {
      break;
    }
  }
  return fraction;
}

}  // namespace

double incomplete_beta(double a, double b, double x) {
  RALLREC_CHECK(a > 0.0 && b > 0.0 && x >= 0.0 && x <= 1.0, "incomplete_beta: out of its domain");
  if (x == 0.0 || x == 1.0) {
    return x;
  }
  const double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                                a * std::log(x) + b * std::log1p(-x));
  return x < (a + 1.0) / (a + b + 2.0) ? front * beta_fraction(a, b, x) / a
                                       : 1.0 - front * beta_fraction(b, a, 1.0 - x) / b;
}

double student_two_sided(double t, double degrees) {
  return incomplete_beta(degrees / 2.0, 0.5, degrees / (degrees + t * t));
}

std::optional<PairedTest> paired_t_test(const std::vector<double>& before,
                                        const std::vector<double>& after) {
  RALLREC_CHECK(before.size() == after.size(), "paired_t_test: a value lacks its partner");
  PairedTest test;
  test.pairs = before.size();
  if (test.pairs < 2) {
    return std::nullopt;
  }
  const auto count = static_cast<double>(test.pairs);
  for (std::size_t i = 0; i < test.pairs; ++i) {
    test.difference += (after[i] - before[i]) / count;
  }
  double squares = 0.0;
  bool equal = true;
  for (std::size_t i = 0; i < test.pairs; ++i) {
    const double off = after[i] - before[i] - test.difference;
    squares += off * off;
    equal = equal && after[i] - before[i] == after[0] - before[0];
  }
  if (equal) {
    test.p = after[0] == before[0] ? std::optional<double>(1.0) : std::nullopt;
    return test;
  }
  test.deviation = std::sqrt(squares / (count - 1.0));
  test.t = test.difference / (test.deviation / std::sqrt(count));
  test.p = student_two_sided(*test.t, count - 1.0);
  return test;
}

}  // namespace rallrec::metrics
