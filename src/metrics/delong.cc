#include "metrics/delong.h"

#include <cmath>

#include "core/check.h"
#include "metrics/compensated_sum.h"
#include "metrics/score_order.h"

namespace rallrec::metrics {
namespace {

struct ClassCounts {
  double positives = 0.0;
  double negatives = 0.0;
};

ClassCounts count_classes(const std::vector<std::uint8_t>& labels) {
  ClassCounts counts;
  for (const std::uint8_t label : labels) {
    (label != 0 ? counts.positives : counts.negatives) += 1.0;
  }
  return counts;
}

bool is_positive(const KeyedScore& score) { return score.tag % 2 != 0; }

// Per sample the share of the other class that it stands on the right side of, ties a half: for a
// positive the negatives below it, for a negative the positives above it. Their mean over either
// class is the AUC (the structural components of DeLong et al.).
std::vector<double> placements(const std::vector<double>& scores,
                               const std::vector<std::uint8_t>& labels, const ClassCounts& counts) {
  KeyedScores keyed = keyed_samples(scores, labels);
  sort_scores(keyed);
  std::vector<double> placed(scores.size());
  double positives_below = 0.0;
  double negatives_below = 0.0;
  for (std::size_t begin = 0; begin < keyed.size();) {
    std::size_t end = begin;
    ClassCounts tied;
    for (; end < keyed.size() && keyed[end].key == keyed[begin].key; ++end) {
      (is_positive(keyed[end]) ? tied.positives : tied.negatives) += 1.0;
    }
    const double as_positive = (negatives_below + tied.negatives / 2.0) / counts.negatives;
    const double as_negative = 1.0 - (positives_below + tied.positives / 2.0) / counts.positives;
    for (; begin < end; ++begin) {
      placed[keyed[begin].tag / 2] = is_positive(keyed[begin]) ? as_positive : as_negative;
    }
    positives_below += tied.positives;
    negatives_below += tied.negatives;
  }
  return placed;
}

struct AucVariance {
  double auc = 0.0;
  double variance = 0.0;
};

// Of the mean over positives, and the variance that both classes' spread gives it. Placements may
// also be differences of two systems': their variance then holds the covariance.
AucVariance variance_of(const std::vector<double>& placed, const std::vector<std::uint8_t>& labels,
                        const ClassCounts& counts) {
  CompensatedSum positives;
  CompensatedSum negatives;
  for (std::size_t i = 0; i < placed.size(); ++i) {
    (labels[i] != 0 ? positives : negatives).add(placed[i]);
  }
  const double positive_mean = positives.value() / counts.positives;
  const double negative_mean = negatives.value() / counts.negatives;
  CompensatedSum positive_squares;
  CompensatedSum negative_squares;
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const double off = placed[i] - (labels[i] != 0 ? positive_mean : negative_mean);
    (labels[i] != 0 ? positive_squares : negative_squares).add(off * off);
  }
  return {positive_mean,
          positive_squares.value() / (counts.positives - 1.0) / counts.positives +
              negative_squares.value() / (counts.negatives - 1.0) / counts.negatives};
}

bool has_spread(const ClassCounts& counts) {
  return counts.positives >= 2.0 && counts.negatives >= 2.0;
}

}  // namespace

std::optional<double> auc_standard_error(const std::vector<double>& scores,
                                         const std::vector<std::uint8_t>& labels) {
  const ClassCounts counts = count_classes(labels);
  if (!has_spread(counts)) {
    return std::nullopt;
  }
  return std::sqrt(variance_of(placements(scores, labels, counts), labels, counts).variance);
}

std::optional<AucTest> delong_test(const std::vector<double>& before,
                                   const std::vector<double>& after,
                                   const std::vector<std::uint8_t>& labels) {
  RALLREC_CHECK(before.size() == labels.size() && after.size() == labels.size(),
                "delong_test: scores and labels are of the same samples");
  const ClassCounts counts = count_classes(labels);
  if (!has_spread(counts)) {
    return std::nullopt;
  }
  std::vector<double> placed = placements(after, labels, counts);
  const std::vector<double> subtrahend = placements(before, labels, counts);
  for (std::size_t i = 0; i < placed.size(); ++i) {
    placed[i] -= subtrahend[i];
  }
  const AucVariance found = variance_of(placed, labels, counts);
  AucTest test{found.auc, std::sqrt(found.variance), {}, {}};
  if (test.standard_error > 0.0) {
    test.z = test.difference / test.standard_error;
    test.p = std::erfc(std::fabs(*test.z) / std::sqrt(2.0));
  } else if (test.difference == 0.0) {
    test.p = 1.0;
  }
  return test;
}

}  // namespace rallrec::metrics
