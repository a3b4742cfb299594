#include "train/adam.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/parallel_for.h"
#include "core/rng.h"
#include "train/gradient_clip.h"

namespace rallrec::train {
namespace {

// The textbook recurrence in double.
struct DoubleAdam {
  double m = 0.0;
  double v = 0.0;
  int t = 0;
  double update(double g, double rate) {
    ++t;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    return -rate * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
  }
};

TEST(Adam, FollowsTheRecurrence) {
  const std::int64_t count = 70001;
  Adam adam(count);
  std::vector<float> parameters(count, 0.25F);
  std::vector<double> expected(count, 0.25);
  std::vector<DoubleAdam> reference(count);
  Rng rng(3);
  for (int step = 0; step < 20; ++step) {
    std::vector<float> gradient(count);
    const double rate = 0.01 * (20 - step);
    for (std::int64_t i = 0; i < count; ++i) {
      gradient[i] = static_cast<float>(rng.next_normal() * std::pow(10.0, i % 7 - 5));
      expected[i] += reference[i].update(gradient[i], rate);
    }
    adam.step(parameters.data(), gradient.data(), rate);
  }
  EXPECT_EQ(adam.steps(), 20);
  for (std::int64_t i = 0; i < count; ++i) {
    ASSERT_NEAR(parameters[i], expected[i], 2e-5) << i;
  }
}

TEST(Adam, BitsDoNotDependOnThreads) {
  const std::int64_t count = 100003;
  std::vector<float> gradient(count);
  Rng rng(4);
  for (float& g : gradient) {
    g = static_cast<float>(rng.next_normal());
  }
  std::vector<std::vector<float>> results;
  for (const int threads : {1, 3}) {
    set_thread_count(threads);
    Adam adam(count);
    std::vector<float> parameters(count, 0.1F);
    adam.step(parameters.data(), gradient.data(), 0.1);
    adam.step(parameters.data(), gradient.data(), 0.1);
    results.push_back(parameters);
  }
  set_thread_count(1);
  EXPECT_EQ(results[0], results[1]);
}

TEST(GradientClip, ScalesToTheNormOnlyWhenAboveIt) {
  std::vector<float> gradient = {3.0F, 0.0F, -4.0F};
  EXPECT_DOUBLE_EQ(global_norm(gradient.data(), 3), 5.0);
  EXPECT_DOUBLE_EQ(global_norm(gradient.data(), 0), 0.0);
  clip_to_norm(gradient.data(), 3, 5.0, 10.0);
  EXPECT_FLOAT_EQ(gradient[2], -4.0F);
  clip_to_norm(gradient.data(), 3, 5.0, 0.0);
  EXPECT_FLOAT_EQ(gradient[2], -4.0F);
  clip_to_norm(gradient.data(), 3, 5.0, 1.0);
  EXPECT_NEAR(gradient[0], 0.6, 1e-6);
  EXPECT_NEAR(gradient[2], -0.8, 1e-6);
}

}  // namespace
}  // namespace rallrec::train
