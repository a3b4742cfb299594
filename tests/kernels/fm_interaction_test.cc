#include "kernels/fm_interaction.h"

#include <cmath>
#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/exact_sums.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;
using rallrec::testing::ThreadCountGuard;

class FmInteraction : public testing::DeviceTest<FmShape> {};

std::int64_t size_of(const FmShape& s) { return s.batch * s.fields * s.dim; }

// The dot products of all pairs of fields, one pair after the other, and the sum of their absolute
// terms, which bounds the rounding.
struct Pairs {
  double sum = 0.0;
  double magnitude = 0.0;
};

Pairs pairs_of(const FmShape& s, const std::vector<float>& v, std::int64_t sample) {
  const auto at = [&](std::int64_t f, std::int64_t d) {
    return double{v[static_cast<std::size_t>((sample * s.fields + f) * s.dim + d)]};
  };
  Pairs pairs;
  for (std::int64_t f = 0; f < s.fields; ++f) {
    for (std::int64_t g = f + 1; g < s.fields; ++g) {
      for (std::int64_t d = 0; d < s.dim; ++d) {
        pairs.sum += at(f, d) * at(g, d);
        pairs.magnitude += std::fabs(at(f, d) * at(g, d));
      }
    }
  }
  return pairs;
}

TEST_P(FmInteraction, SumsTheProductsOfAllPairs) {
  const FmShape s = shape();
  const auto host_v = random_floats(size_of(s), 1);
  const auto v = on_device(host_v);
  const auto y = empty<float>(s.batch);
  fm_interaction(queue(), s, v.get(), y.get());
  const auto got = y.host();
  for (std::int64_t b = 0; b < s.batch; ++b) {
    const Pairs want = pairs_of(s, host_v, b);
    ASSERT_NEAR(got[static_cast<std::size_t>(b)], want.sum, 1e-6 * want.magnitude) << b;
  }
}

// dy · Σ of the other fields, summed without the field itself.
TEST_P(FmInteraction, GradientIsTheSumOfTheOtherFields) {
  const FmShape s = shape();
  const auto host_v = random_floats(size_of(s), 2);
  const auto host_dy = random_floats(s.batch, 3);
  const auto v = on_device(host_v);
  const auto dy = on_device(host_dy);
  const auto dv = empty<float>(size_of(s));
  fm_interaction_backward(queue(), s, v.get(), dy.get(), dv.get());
  const auto got = dv.host();
  for (std::int64_t i = 0; i < size_of(s); ++i) {
    const std::int64_t sample = i / (s.fields * s.dim);
    const std::int64_t first = sample * s.fields * s.dim + i % s.dim;
    double others = 0.0;
    for (std::int64_t f = 0; f < s.fields; ++f) {
      others += first + f * s.dim == i ? 0.0 : host_v[first + f * s.dim];
    }
    ASSERT_NEAR(got[i], host_dy[sample] * others, 2e-6 * double(s.fields)) << i;
  }
  fm_interaction_backward(queue(), s, v.get(), dy.get(), v.get());
  EXPECT_EQ(v.host(), got) << "in place";
}

TEST_P(FmInteraction, ASampleDependsNeitherOnThreadsNorOnTheOthers) {
  const FmShape s = shape();
  const auto v = on_device(random_floats(size_of(s), 4));
  const auto dy = on_device(random_floats(s.batch, 5));
  const auto y = empty<float>(s.batch);
  const auto dv = empty<float>(size_of(s));
  fm_interaction(queue(), s, v.get(), y.get());
  fm_interaction_backward(queue(), s, v.get(), dy.get(), dv.get());
  ThreadCountGuard threads(2);
  const auto y_parts = empty<float>(s.batch);
  const auto dv_parts = empty<float>(size_of(s));
  const std::int64_t cut = s.batch / 3;
  const std::int64_t at = cut * s.fields * s.dim;
  const FmShape head{cut, s.fields, s.dim};
  const FmShape tail{s.batch - cut, s.fields, s.dim};
  fm_interaction(queue(), head, v.get(), y_parts.get());
  fm_interaction(queue(), tail, v.get() + at, y_parts.get() + cut);
  fm_interaction_backward(queue(), head, v.get(), dy.get(), dv_parts.get());
  fm_interaction_backward(queue(), tail, v.get() + at, dy.get() + cut, dv_parts.get() + at);
  EXPECT_EQ(y_parts.host(), y.host());
  EXPECT_EQ(dv_parts.host(), dv.host());
}

// No samples, fields or columns; one of each; columns below, at and beyond a vector and a warp of
// them; 9 and 7 fields of 16 and 10 are those of the paper's data sets and of RecBole's default.
INSTANTIATE_TEST_SUITE_P(Shapes, FmInteraction,
                         testing::on_every_device(FmShape{0, 3, 4}, FmShape{2, 0, 4},
                                                  FmShape{2, 3, 0}, FmShape{1, 1, 1},
                                                  FmShape{3, 2, 1}, FmShape{5, 3, 7},
                                                  FmShape{70, 9, 16}, FmShape{2048, 9, 16},
                                                  FmShape{300, 7, 10}, FmShape{17, 10, 32},
                                                  FmShape{3, 4, 150}, FmShape{2, 40, 131}),
                         testing::device_and_number<FmInteraction::ParamType>);

class FmSlope : public testing::DeviceTest<FmShape> {};

// The term is quadratic in each value, so central differences have no error of their own; a step of
// 1/4 keeps the rounding of y small beside it.
TEST_P(FmSlope, GradientIsTheDifferenceQuotient) {
  const FmShape s = shape();
  auto host_v = random_floats(size_of(s), 6);
  const auto v = on_device(host_v);
  const auto dy = on_device(std::vector<float>(static_cast<std::size_t>(s.batch), 1.0F));
  const auto dv = empty<float>(size_of(s));
  fm_interaction_backward(queue(), s, v.get(), dy.get(), dv.get());
  const auto gradient = dv.host();
  const auto objective = [&] {
    const auto there = on_device(host_v);
    const auto y = empty<float>(s.batch);
    fm_interaction(queue(), s, there.get(), y.get());
    double sum = 0.0;
    for (const float part : y.host()) {
      sum += part;
    }
    return sum;
  };
  testing::expect_slopes(host_v, gradient, 0.25F, 2e-5, "v", objective);
}

INSTANTIATE_TEST_SUITE_P(Shapes, FmSlope, testing::on_every_device(FmShape{2, 3, 5}),
                         testing::device_and_number<FmSlope::ParamType>);

TEST(FmInteractionChecks, RefusesNullAndNegativeSizes) {
  float value = 0.0F;
  EXPECT_THROW(fm_interaction({}, {1, 1, 1}, nullptr, &value), Error);
  EXPECT_THROW(fm_interaction({}, {1, 1, 1}, &value, nullptr), Error);
  EXPECT_THROW(fm_interaction({}, {-1, 1, 1}, &value, &value), Error);
  EXPECT_THROW(fm_interaction_backward({}, {1, 1, 1}, &value, nullptr, &value), Error);
}

}  // namespace
}  // namespace rallrec::kernels
