#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace rallrec::metrics {

// The standard error of the AUC (DeLong, DeLong and Clarke-Pearson 1988), ties counting one half.
// Scores are not NaN. Empty where a class has fewer than two samples. O(n log n). Samples are taken
// as independent; where users have several, the bootstrap (bootstrap.h) is the wider and safer one.
std::optional<double> auc_standard_error(const std::vector<double>& scores,
                                         const std::vector<std::uint8_t>& labels);

struct AucTest {
  // AUC of after - AUC of before, and its standard error.
  double difference = 0.0;
  double standard_error = 0.0;
  // Empty where the standard error is 0; p is 1 where the difference is 0 too.
  std::optional<double> z;
  std::optional<double> p;
};

// DeLong's two-sided test of two AUCs of the same samples: scores before[i] and after[i] are of the
// sample with labels[i]. Conditions as above.
std::optional<AucTest> delong_test(const std::vector<double>& before,
                                   const std::vector<double>& after,
                                   const std::vector<std::uint8_t>& labels);

}  // namespace rallrec::metrics
