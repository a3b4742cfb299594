// DeLong's test, the paired t-test and Holm's correction against scipy and the textbook sums.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/rng.h"
#include "metrics/auc.h"
#include "metrics/delong.h"
#include "metrics/holm.h"
#include "metrics/student_t.h"

namespace rallrec::metrics {
namespace {

nlohmann::json golden() {
  std::ifstream stream(RALLREC_SOURCE_DIR "/tests/golden/significance.json");
  return nlohmann::json::parse(stream);
}

struct Case {
  std::vector<std::uint8_t> labels;
  std::vector<double> before;
  std::vector<double> after;
};

Case case_of(const nlohmann::json& json) {
  return {json.at("labels").get<std::vector<std::uint8_t>>(),
          json.at("before").get<std::vector<double>>(),
          json.at("after").get<std::vector<double>>()};
}

TEST(DeLong, AgreesWithTheDoubleSumsOverPairs) {
  const nlohmann::json file = golden();
  ASSERT_EQ(file.at("delong").size(), 20U);
  for (const nlohmann::json& expected : file.at("delong")) {
    const Case samples = case_of(expected);
    const auto found = delong_test(samples.before, samples.after, samples.labels);
    ASSERT_TRUE(found && found->z && found->p);
    EXPECT_NEAR(found->difference, expected.at("difference").get<double>(), 1e-13);
    EXPECT_NEAR(found->standard_error, expected.at("standard_error").get<double>(), 1e-13);
    EXPECT_NEAR(*found->z, expected.at("z").get<double>(), 1e-10);
    EXPECT_NEAR(*found->p, expected.at("p").get<double>(), 1e-11);
    EXPECT_NEAR(*auc_standard_error(samples.before, samples.labels),
                expected.at("errors").at(0).get<double>(), 1e-13);
    EXPECT_NEAR(*auc_standard_error(samples.after, samples.labels),
                expected.at("errors").at(1).get<double>(), 1e-13);
  }
}

TEST(DeLong, ItsDifferenceIsThatOfTheAucsAndChangesSignWithTheOrder) {
  Rng rng(5);
  Case samples;
  for (int i = 0; i < 5000; ++i) {
    samples.labels.push_back(static_cast<std::uint8_t>(rng.next_below(2)));
    samples.before.push_back(static_cast<double>(rng.next_below(100)) / 100.0);
    samples.after.push_back(0.5 * samples.before.back() + 0.25 * samples.labels.back());
  }
  const double before = *AucRanking(samples.before, samples.labels).auc();
  const double after = *AucRanking(samples.after, samples.labels).auc();
  const auto found = delong_test(samples.before, samples.after, samples.labels);
  const auto reversed = delong_test(samples.after, samples.before, samples.labels);
  EXPECT_NEAR(found->difference, after - before, 1e-12);
  EXPECT_GT(found->difference, 0.1);
  EXPECT_NEAR(*found->z, -*reversed->z, 1e-9);
  EXPECT_LT(*found->p, 1e-6);
}

TEST(DeLong, SaysWhereThereIsNoTest) {
  const std::vector<double> scores = {0.1, 0.2, 0.3, 0.4};
  EXPECT_FALSE(delong_test(scores, scores, {0, 0, 0, 1}));
  EXPECT_FALSE(delong_test({}, {}, {}));
  EXPECT_FALSE(auc_standard_error(scores, {1, 1, 1, 1}));
  const auto equal = delong_test(scores, scores, {0, 1, 0, 1});
  ASSERT_TRUE(equal);
  EXPECT_FALSE(equal->z);
  EXPECT_EQ(equal->p, 1.0);
  const auto certain = delong_test({0.4, 0.4, 0.3, 0.3}, {0.1, 0.1, 0.3, 0.3}, {0, 0, 1, 1});
  EXPECT_EQ(certain->difference, 1.0);
  EXPECT_FALSE(certain->p);
}

TEST(StudentT, AgreesWithScipy) {
  const nlohmann::json file = golden();
  for (const nlohmann::json& expected : file.at("beta")) {
    const double value = expected.at("value").get<double>();
    EXPECT_NEAR(incomplete_beta(expected.at("a").get<double>(), expected.at("b").get<double>(),
                                expected.at("x").get<double>()),
                value, 1e-12)
        << expected;
  }
  for (const nlohmann::json& expected : file.at("t_tests")) {
    const auto found = paired_t_test(expected.at("before").get<std::vector<double>>(),
                                     expected.at("after").get<std::vector<double>>());
    ASSERT_TRUE(found && found->t && found->p);
    EXPECT_NEAR(*found->t / expected.at("t").get<double>(), 1.0, 1e-9);
    EXPECT_NEAR(*found->p / expected.at("p").get<double>(), 1.0, 1e-9);
  }
}

TEST(StudentT, HasTheClosedFormsOfOneAndTwoDegrees) {
  for (const double t : {0.0, 0.3, 1.0, 4.0, 1000.0}) {
    EXPECT_NEAR(student_two_sided(t, 1.0), 1.0 - 2.0 / std::acos(-1.0) * std::atan(t), 1e-13);
    EXPECT_NEAR(student_two_sided(-t, 2.0), 1.0 - t / std::sqrt(2.0 + t * t), 1e-13);
  }
}

TEST(StudentT, SaysWhereThereIsNoTest) {
  EXPECT_FALSE(paired_t_test({0.5}, {0.6}));
  EXPECT_FALSE(paired_t_test({}, {}));
  const auto shifted = paired_t_test({0.25, 0.5}, {0.5, 0.75});
  EXPECT_EQ(shifted->difference, 0.25);
  EXPECT_FALSE(shifted->p);
  EXPECT_EQ(paired_t_test({0.3, 0.7}, {0.3, 0.7})->p, 1.0);
}

TEST(Holm, MultipliesByTheTestsThatAreLeft) {
  const std::vector<double> adjusted = holm_adjusted({0.01, 0.04, 0.03, 0.005});
  const std::vector<double> expected = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(adjusted[i], expected[i], 1e-15) << i;
  }
  EXPECT_EQ(holm_adjusted({0.9, 0.6}), (std::vector<double>{1.0, 1.0}));
  EXPECT_EQ(holm_adjusted({0.2}), std::vector<double>{0.2});
  EXPECT_TRUE(holm_adjusted({}).empty());
}

}  // namespace
}  // namespace rallrec::metrics
