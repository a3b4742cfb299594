#include "kernels/binary_cross_entropy.h"

#include <cmath>
#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

using Labels = std::vector<std::uint8_t>;

class BinaryCrossEntropy : public testing::DeviceTest<std::int64_t> {
 protected:
  struct Results {
    double loss;
    std::vector<float> slopes;
  };
  Results through_kernel(const std::vector<float>& host_logits, const Labels& host_labels,
                         double divisor) {
    const auto logits = on_device(host_logits);
    const auto labels = on_device(host_labels);
    const auto slopes = empty<float>(static_cast<std::int64_t>(host_logits.size()));
    const auto loss = on_device(std::vector<double>{99.0});
    binary_cross_entropy(queue(), static_cast<std::int64_t>(host_logits.size()), logits.get(),
                         labels.get(), divisor, slopes.get(), loss.get());
    return {loss.host()[0], slopes.host()};
  }
};

Labels labels_of(std::int64_t count) {
  Labels labels;
  for (std::int64_t i = 0; i < count; ++i) {
    labels.push_back(i % 3 == 1 ? 1 : 0);
  }
  return labels;
}

// The plain definition in long double: -log of the softmax over the two labels.
long double loss_by_definition(const std::vector<float>& logits, const Labels& labels) {
  long double loss = 0.0L;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const long double power = std::exp(static_cast<long double>(logits[i]));
    loss -= std::log((labels[i] != 0 ? power : 1.0L) / (1.0L + power));
  }
  return loss;
}

TEST_P(BinaryCrossEntropy, IsTheNegativeLogOfTheLabelsProbability) {
  const auto logits = testing::random_floats(shape(), 1, 4.0F);
  const Labels labels = labels_of(shape());
  const Results got = through_kernel(logits, labels, 1.0);
  EXPECT_NEAR(got.loss, static_cast<double>(loss_by_definition(logits, labels)),
              1e-12 * static_cast<double>(shape()));
}

TEST_P(BinaryCrossEntropy, SlopesAreThoseOfTheLoss) {
  const auto logits = testing::random_floats(shape(), 2, 4.0F);
  const Labels labels = labels_of(shape());
  constexpr double kDivisor = 7.0;
  const Results got = through_kernel(logits, labels, kDivisor);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    constexpr long double kStep = 1e-4L;
    const auto at = [&](long double logit) {
      const long double power = std::exp(logit);
      return -std::log((labels[i] != 0 ? power : 1.0L) / (1.0L + power));
    };
    const auto slope =
        static_cast<double>((at(logits[i] + kStep) - at(logits[i] - kStep)) / (2.0L * kStep)) /
        kDivisor;
    ASSERT_NEAR(got.slopes[i], slope, 1e-7) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Counts, BinaryCrossEntropy,
                         testing::on_every_device(std::int64_t{0}, std::int64_t{1},
                                                  std::int64_t{31}, std::int64_t{256},
                                                  std::int64_t{777}),
                         testing::device_and_number<BinaryCrossEntropy::ParamType>);

class ExtremeLogits : public BinaryCrossEntropy {};

TEST_P(ExtremeLogits, DoNotOverflowAndLeaveNaNVisible) {
  const Results got = through_kernel({1e4F, -1e4F, 1e4F, -1e4F}, {1, 0, 0, 1}, 1.0);
  EXPECT_EQ(got.loss, 2e4);
  EXPECT_EQ(got.slopes, (std::vector<float>{0.0F, 0.0F, 1.0F, -1.0F}));
  EXPECT_TRUE(std::isnan(through_kernel({1.0F, NAN}, {1, 0}, 1.0).loss));
}

INSTANTIATE_TEST_SUITE_P(Devices, ExtremeLogits, testing::on_every_device(std::int64_t{0}),
                         testing::device_and_number<ExtremeLogits::ParamType>);

TEST(BinaryCrossEntropyChecks, RefuseNullNegativeSizesAndDivisors) {
  float v = 0.0F;
  std::uint8_t label = 0;
  double loss = 0.0;
  EXPECT_THROW(binary_cross_entropy({}, -1, &v, &label, 1.0, &v, &loss), Error);
  EXPECT_THROW(binary_cross_entropy({}, 1, &v, &label, 0.0, &v, &loss), Error);
  EXPECT_THROW(binary_cross_entropy({}, 1, &v, nullptr, 1.0, &v, &loss), Error);
  EXPECT_THROW(binary_cross_entropy({}, 1, &v, &label, 1.0, &v, nullptr), Error);
}

}  // namespace
}  // namespace rallrec::kernels
