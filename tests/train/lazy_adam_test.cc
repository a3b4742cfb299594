#include "train/lazy_adam.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/thread_count_guard.h"

namespace rallrec::train {
namespace {

using Values = DeviceArray<float>;

Values values_of(const std::vector<float>& values) { return {{}, "test", values}; }

void update(LazyAdam& adam, const std::vector<std::int64_t>& places, const std::vector<float>& sums,
            Values& values) {
  models::ctr::ShardedEmbedding::Gradients gradients{Queue{}};
  gradients.places = places;
  gradients.sums.assign(sums);
  adam.update(gradients, values);
}

// Adam of one number from the paper, in double.
struct OneNumber {
  double value, m = 0.0, v = 0.0;
  int t = 0;

  void update(double gradient, double rate, double l2) {
    const double g = gradient + l2 * value;
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    value -=
        rate * (m / (1.0 - std::pow(0.9, t))) / (std::sqrt(v / (1.0 - std::pow(0.999, t))) + 1e-8);
  }
};

TEST(LazyAdam, UpdatesARowByItsOwnNumberOfUpdates) {
  constexpr double kRate = 0.01;
  constexpr double kL2 = 0.1;
  const std::vector<float> start = {1.0F, -2.0F, 3.0F, 4.0F, 5.0F, 6.0F};
  Values values = values_of(start);
  LazyAdam adam(3, 2, kRate, kL2, {});
  std::vector<OneNumber> want;
  for (const float value : start) want.push_back({value});
  // Row 2 is met in every step, row 0 in every third, row 1 never.
  for (int step = 0; step < 30; ++step) {
    std::vector<std::int64_t> places = {2};
    std::vector<float> sums = {0.5F * static_cast<float>(step % 4), -1.0F};
    want[4].update(sums[0], kRate, kL2);
    want[5].update(sums[1], kRate, kL2);
    if (step % 3 == 2) {
      places.push_back(0);
      sums.insert(sums.end(), {2.0F, 0.25F});
      want[0].update(2.0, kRate, kL2);
      want[1].update(0.25, kRate, kL2);
    }
    update(adam, places, sums, values);
  }
  const std::vector<float> got = values.host();
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], want[i].value, 2e-5) << i;
  }
  EXPECT_EQ(got[2], 3.0F);
  EXPECT_EQ(got[3], 4.0F);
}

TEST(LazyAdam, TheFirstUpdateIsTheLearningRateHoweverLate) {
  Values values = values_of({0.0F, 0.0F});
  LazyAdam adam(2, 1, 0.01, 0.0, {});
  for (int step = 0; step < 500; ++step) {
    update(adam, {0}, {1.0F}, values);
  }
  update(adam, {1}, {1e-3F}, values);
  EXPECT_NEAR(values.host()[1], -0.01, 1e-5);
}

TEST(LazyAdam, BitsDoNotDependOnThreads) {
  const auto run = [] {
    Values values = values_of(std::vector<float>(600, 0.5F));
    LazyAdam adam(200, 3, 0.01, 0.1, {});
    for (int step = 0; step < 3; ++step) {
      std::vector<std::int64_t> places;
      std::vector<float> sums;
      for (std::int64_t row = step; row < 200; row += 1 + step) {
        places.push_back(row);
        for (int k = 0; k < 3; ++k) {
          sums.push_back(static_cast<float>((row * 7 + k) % 13) - 6.0F);
        }
      }
      update(adam, places, sums, values);
    }
    return values.host();
  };
  const std::vector<float> one = run();
  const testing::ThreadCountGuard threads(2);
  EXPECT_EQ(run(), one);
}

}  // namespace
}  // namespace rallrec::train
