#pragma once

#include <cstddef>
#include <optional>
#include <vector>

namespace rallrec::metrics {

// The regularised incomplete beta function I_x(a, b), to about 1e-14; a, b > 0 and 0 <= x <= 1.
double incomplete_beta(double a, double b, double x);

// P(|T| >= |t|) for Student's t distribution with `degrees` > 0 degrees of freedom.
double student_two_sided(double t, double degrees);

struct PairedTest {
  std::size_t pairs = 0;
  // Mean of after - before, and the standard deviation of these differences.
  double difference = 0.0;
  double deviation = 0.0;
  // Empty where all differences are equal: a spread of nothing tells of no chance. p is 1 where
  // they are all 0.
  std::optional<double> t;
  std::optional<double> p;
};

// The two-sided paired t-test of one metric of two systems over the same seeds: `before` and
// `after` have one value per seed, in the same order. Empty with fewer than two pairs.
std::optional<PairedTest> paired_t_test(const std::vector<double>& before,
                                        const std::vector<double>& after);

}  // namespace rallrec::metrics
