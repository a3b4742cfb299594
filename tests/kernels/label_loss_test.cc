#include "kernels/label_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "tests/support/device/test_device.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;
using rallrec::testing::DeviceTest;
using rallrec::testing::TestDevice;
using rallrec::testing::ThreadCountGuard;

struct Case {
  std::int64_t rows, hidden, vocabulary;
};

std::vector<float> random_floats(std::int64_t count, std::uint64_t stream) {
  Rng rng(11, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = static_cast<float>(rng.next_normal());
  }
  return values;
}

std::uint16_t upper_half(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return static_cast<std::uint16_t>(bits >> 16);
}

float widened(std::uint16_t half) {
  const std::uint32_t bits = static_cast<std::uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

struct Problem {
  explicit Problem(const Case& size)
      : size(size),
        x(random_floats(size.rows * size.hidden, 1)),
        weight(random_floats(size.vocabulary * size.hidden, 2)) {
    Rng rng(12);
    for (std::int64_t i = 0; i < size.rows; ++i) {
      labels.push_back(
          static_cast<std::int64_t>(rng.next_below(static_cast<std::uint32_t>(size.vocabulary))));
    }
    for (float& value : weight) {
      half.push_back(upper_half(value));
      value = widened(half.back());
    }
  }

  Case size;
  std::vector<float> x;
  std::vector<float> weight;
  std::vector<std::uint16_t> half;
  std::vector<std::int64_t> labels;
};

struct Result {
  std::vector<float> losses;
  std::vector<float> dx;
};

// The problem in the device's memory.
struct DeviceProblem {
  DeviceProblem(TestDevice& device, const Problem& problem)
      : size(problem.size),
        x(device, problem.x),
        weight(device, problem.weight),
        half(device, problem.half),
        labels(device, problem.labels) {}

  HeadPart head(bool bf16) const {
    return {bf16 ? nullptr : weight.get(), bf16 ? half.get() : nullptr, size.vocabulary,
            size.hidden};
  }

  Case size;
  DeviceArray<float> x, weight;
  DeviceArray<std::uint16_t> half;
  DeviceArray<std::int64_t> labels;
};

// `count` rows from `row` on.
Result run(TestDevice& device, const DeviceProblem& problem, bool bf16, double scale,
           std::int64_t row, std::int64_t count) {
  const std::int64_t hidden = problem.size.hidden;
  const DeviceArray<float> losses(device, static_cast<std::size_t>(count));
  const DeviceArray<float> dx(device, static_cast<std::size_t>(count * hidden));
  label_loss(device.queue(), problem.head(bf16), count, problem.x.get() + row * hidden,
             problem.labels.get() + row, scale, losses.get(), dx.get());
  return {losses.host(), dx.host()};
}

Result run(TestDevice& device, const Problem& problem, bool bf16, double scale) {
  const DeviceProblem there(device, problem);
  return run(device, there, bf16, scale, 0, problem.size.rows);
}

class LabelLoss : public DeviceTest<Case> {};

TEST_P(LabelLoss, EqualsTheFormulaInDouble) {
  const Problem problem(shape());
  const auto [rows, hidden, vocabulary] = shape();
  const double scale = 0.25;
  for (const bool bf16 : {false, true}) {
    const Result result = run(device(), problem, bf16, scale);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::vector<double> z(static_cast<std::size_t>(vocabulary), 0.0);
      double sum = 0.0;
      for (std::int64_t v = 0; v < vocabulary; ++v) {
        for (std::int64_t k = 0; k < hidden; ++k) {
          z[v] += static_cast<double>(problem.weight[v * hidden + k]) * problem.x[i * hidden + k];
        }
        sum += std::exp(z[v]);
      }
      const std::int64_t label = problem.labels[i];
      EXPECT_NEAR(result.losses[i], std::log(sum) - z[label], 2e-5 * (1.0 + std::fabs(z[label])));
      for (std::int64_t k = 0; k < hidden; ++k) {
        double gradient = -problem.weight[label * hidden + k];
        for (std::int64_t v = 0; v < vocabulary; ++v) {
          gradient += std::exp(z[v]) / sum * problem.weight[v * hidden + k];
        }
        EXPECT_NEAR(result.dx[i * hidden + k], scale * gradient, 2e-5) << i << " " << k;
      }
    }
  }
}

TEST_P(LabelLoss, WithoutAGradientGivesTheSameLosses) {
  const Problem problem(shape());
  const DeviceProblem there(device(), problem);
  const auto losses = empty<float>(problem.size.rows);
  label_loss(queue(), there.head(true), problem.size.rows, there.x.get(), there.labels.get(), 1.0,
             losses.get(), nullptr);
  EXPECT_EQ(losses.host(), run(device(), problem, true, 1.0).losses);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LabelLoss,
                         testing::on_every_device(Case{0, 16, 5}, Case{1, 1, 1}, Case{1, 24, 7},
                                                  Case{3, 16, 64}, Case{17, 33, 130},
                                                  Case{65, 48, 1000}, Case{130, 20, 257}),
                         testing::device_and_number<LabelLoss::ParamType>);

class LabelLossBits : public DeviceTest<Case> {};

TEST_P(LabelLossBits, DoNotDependOnOtherRowsOrThreads) {
  const Problem problem(shape());
  const DeviceProblem all(device(), problem);
  const auto [rows, hidden, vocabulary] = shape();
  const Result together = run(device(), all, false, 1.0, 0, rows);
  ThreadCountGuard threads(2);
  const Result on_threads = run(device(), all, false, 1.0, 0, rows);
  EXPECT_EQ(together.losses, on_threads.losses);
  EXPECT_EQ(together.dx, on_threads.dx);
  for (const std::int64_t row : {0, 5, 63, 64, 69}) {
    const Result alone = run(device(), all, false, 1.0, row, 1);
    EXPECT_EQ(alone.losses[0], together.losses[row]);
    EXPECT_EQ(0, std::memcmp(alone.dx.data(), together.dx.data() + row * hidden,
                             alone.dx.size() * sizeof(float)));
  }
}

// What ranks with a part of the head each do, one part after the other: the statistics of both
// parts lie side by side, and so do the partial gradients, whose tree is then added up.
TEST_P(LabelLossBits, AHeadInTwoPartsGivesThoseOfTheWhole) {
  const std::int64_t rows = 17;
  const std::int64_t hidden = shape().hidden;
  const std::int64_t vocabulary = shape().vocabulary;
  const std::int64_t width = head_width(rows);
  const Problem problem(shape());
  const DeviceProblem all(device(), problem);
  const auto logits = empty<float>(vocabulary * width);
  const auto statistics = empty<float>(kVocabularyBlocks * kHeadStatistics * width);
  const auto partials = empty<float>(kVocabularyBlocks * rows * hidden);
  const auto losses = empty<float>(rows);
  const auto lse = empty<float>(width);
  const auto part_of = [&](std::int64_t first, std::int64_t last) {
    HeadPart part = all.head(true);
    part.first_block = first;
    part.last_block = last;
    part.bf16 += part.first_row() * hidden;
    return part;
  };
  const HeadPart parts[] = {part_of(0, 21), part_of(21, kVocabularyBlocks)};
  const auto logits_of = [&](const HeadPart& p) { return logits.get() + p.first_row() * width; };
  for (const HeadPart& part : parts) {
    head_logits(queue(), part, rows, all.x.get(), all.labels.get(), logits_of(part),
                statistics.get() + part.first_block * kHeadStatistics * width);
  }
  combine_head_statistics(queue(), vocabulary, rows, statistics.get(), all.labels.get(),
                          losses.get(), lse.get());
  for (const HeadPart& part : parts) {
    head_gradient(queue(), part, rows, all.labels.get(), lse.get(), 0.5, logits_of(part),
                  partials.get() + part.first_block * rows * hidden);
  }
  auto tree = partials.host();
  const auto count = static_cast<std::size_t>(rows * hidden);
  for (std::size_t step = 1; step < kVocabularyBlocks; step *= 2) {
    for (std::size_t block = 0; block < kVocabularyBlocks; block += 2 * step) {
      for (std::size_t i = 0; i < count; ++i) {
        tree[block * count + i] += tree[(block + step) * count + i];
      }
    }
  }
  tree.resize(count);
  const Result whole = run(device(), all, true, 0.5, 0, rows);
  EXPECT_EQ(losses.host(), whole.losses);
  EXPECT_EQ(tree, whole.dx);
}

INSTANTIATE_TEST_SUITE_P(Shapes, LabelLossBits, testing::on_every_device(Case{70, 40, 500}),
                         testing::device_and_number<LabelLossBits::ParamType>);

class LabelLossEnds : public DeviceTest<Case> {};

TEST_P(LabelLossEnds, HugeLogitsStayFinite) {
  Problem problem(shape());
  for (float& value : problem.x) {
    value *= 1000.0F;
  }
  for (const float loss : run(device(), problem, false, 1.0).losses) {
    EXPECT_TRUE(std::isfinite(loss));
    EXPECT_GE(loss, 0.0F);
  }
}

TEST_P(LabelLossEnds, ALabelOutsideIsRefusedOrGivesNaN) {
  Problem problem(shape());
  for (const std::int64_t label : {std::int64_t{-1}, shape().vocabulary}) {
    problem.labels[2] = label;
    if (queue().device == Device::kCpu) {
      EXPECT_THROW(run(device(), problem, false, 1.0), Error);
      continue;
    }
    const auto losses = run(device(), problem, false, 1.0).losses;
    for (std::size_t i = 0; i < losses.size(); ++i) {
      EXPECT_EQ(std::isnan(losses[i]), i == 2) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, LabelLossEnds, testing::on_every_device(Case{4, 16, 300}),
                         testing::device_and_number<LabelLossEnds::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
