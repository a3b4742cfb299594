#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/rng.h"
#include "metrics/auc.h"
#include "metrics/compensated_sum.h"
#include "metrics/log_loss.h"

namespace rallrec::metrics {
namespace {

struct Case {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
};

// Both classes, scores on a grid of 2 to 65 values, so that most cases have ties.
Case random_case(std::uint64_t seed) {
  Rng rng(seed);
  const std::size_t n = 2 + rng.next_below(60);
  const std::uint64_t grid = 1 + rng.next_below(64);
  Case made;
  for (std::size_t i = 0; i < n; ++i) {
    made.scores.push_back(static_cast<double>(rng.next_below(grid + 1)) /
                          static_cast<double>(grid));
    made.labels.push_back(static_cast<std::uint8_t>(i < 2 ? i : rng.next_below(2)));
  }
  return made;
}

// The definition: all pairs of a positive and a negative.
double pairwise_auc(const Case& made) {
  double wins = 0.0;
  double pairs = 0.0;
  for (std::size_t i = 0; i < made.scores.size(); ++i) {
    for (std::size_t j = 0; j < made.scores.size(); ++j) {
      if (made.labels[i] == 1 && made.labels[j] == 0) {
        pairs += 1.0;
        wins += made.scores[i] > made.scores[j]    ? 1.0
                : made.scores[i] == made.scores[j] ? 0.5
                                                   : 0.0;
      }
    }
  }
  return wins / pairs;
}

TEST(Metrics, EqualTheDefinitionsOnRandomCases) {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Case made = random_case(seed);
    EXPECT_NEAR(*AucRanking(made.scores, made.labels).auc(), pairwise_auc(made), 1e-12);
    long double loss = 0.0L;
    long double correct = 0.0L;
    for (std::size_t i = 0; i < made.scores.size(); ++i) {
      const long double p =
          std::min<long double>(std::max<long double>(made.scores[i], 0x1p-52L), 1.0L - 0x1p-52L);
      loss -= made.labels[i] == 1 ? std::log(p) : std::log(1.0L - p);
      correct += (made.scores[i] > 0.5) == (made.labels[i] == 1) ? 1.0L : 0.0L;
    }
    const auto n = static_cast<long double>(made.scores.size());
    EXPECT_NEAR(log_loss(made.scores, made.labels), static_cast<double>(loss / n), 1e-12);
    EXPECT_NEAR(accuracy(made.scores, made.labels), static_cast<double>(correct / n), 1e-12);
  }
}

TEST(Metrics, EqualScikitLearn) {
  std::ifstream file(RALLREC_SOURCE_DIR "/tests/golden/metrics.json");
  const nlohmann::json golden = nlohmann::json::parse(file);
  ASSERT_EQ(golden["cases"].size(), 60U);
  for (const nlohmann::json& entry : golden["cases"]) {
    const auto scores = entry["scores"].get<std::vector<double>>();
    const auto labels = entry["labels"].get<std::vector<std::uint8_t>>();
    EXPECT_NEAR(*AucRanking(scores, labels).auc(), entry["auc"].get<double>(), 1e-12);
    EXPECT_NEAR(log_loss(scores, labels), entry["log_loss"].get<double>(), 1e-12);
    EXPECT_NEAR(accuracy(scores, labels), entry["accuracy"].get<double>(), 1e-12);
  }
}

TEST(Auc, IsEmptyForOneClassAndNone) {
  EXPECT_FALSE(AucRanking({0.2, 0.7}, {1, 1}).auc().has_value());
  EXPECT_FALSE(AucRanking({0.2, 0.7}, {0, 0}).auc().has_value());
  EXPECT_FALSE(AucRanking({}, {}).auc().has_value());
}

// Weights mean repetition.
TEST(Auc, WeightedEqualsTheRepeatedSamples) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Case made = random_case(seed);
    const AucRanking ranking(made.scores, made.labels);
    Rng rng(seed + 5000);
    std::vector<std::uint32_t> weights = {1, 2, 0, 3};
    std::vector<std::uint32_t> groups;
    Case repeated;
    for (const std::size_t sample : ranking.order()) {
      groups.push_back(static_cast<std::uint32_t>(rng.next_below(weights.size())));
      for (std::uint32_t copy = 0; copy < weights[groups.back()]; ++copy) {
        repeated.scores.push_back(made.scores[sample]);
        repeated.labels.push_back(made.labels[sample]);
      }
    }
    const std::optional<double> auc = ranking.weighted_auc(groups, weights);
    const double expected = pairwise_auc(repeated);
    ASSERT_EQ(auc.has_value(), !std::isnan(expected));
    EXPECT_NEAR(auc.value_or(0.0), auc.has_value() ? expected : 0.0, 1e-12);
  }
}

TEST(LogLoss, IsClippedAtTheEpsilonOfDouble) {
  EXPECT_DOUBLE_EQ(sample_log_loss(0.0, 1), 52.0 * std::log(2.0));
  EXPECT_DOUBLE_EQ(sample_log_loss(1.0, 0), 52.0 * std::log(2.0));
  EXPECT_DOUBLE_EQ(sample_log_loss(1.0, 1), -std::log1p(-0x1p-52));
  EXPECT_DOUBLE_EQ(sample_log_loss(0.25, 0), -std::log(0.75));
}

TEST(Accuracy, OneHalfIsANo) {
  EXPECT_DOUBLE_EQ(accuracy({0.5, 0.5}, {0, 1}), 0.5);
  EXPECT_FALSE(is_correct(0.5, 1));
  EXPECT_TRUE(is_correct(std::nextafter(0.5, 1.0), 1));
}

TEST(CompensatedSum, KeepsWhatAPlainSumLoses) {
  CompensatedSum sum;
  for (const double value : {1.0, 1e100, 1.0, -1e100}) {
    sum.add(value);
  }
  EXPECT_EQ(sum.value(), 2.0);
}

}  // namespace
}  // namespace rallrec::metrics
