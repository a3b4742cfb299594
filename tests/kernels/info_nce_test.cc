#include "kernels/info_nce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <numeric>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;
using rallrec::testing::DeviceTest;
using rallrec::testing::random_floats;
using rallrec::testing::TestDevice;
using rallrec::testing::ThreadCountGuard;

struct Result {
  double loss = 0.0;
  std::vector<float> grad_x, grad_y;
};

struct Problem {
  std::int64_t count, width;
  float temperature;
  std::vector<float> x, y;
  bool bf16 = false;
};

Problem random_problem(std::int64_t count, std::int64_t width, float temperature, float scale) {
  return {count, width, temperature, random_floats(count * width, 1, scale),
          random_floats(count * width, 2, scale)};
}

// Loss and gradients through the kernel, the rows cut into blocks of `block_rows`.
class Run {
 public:
  Run(TestDevice& device, const Problem& problem, std::int64_t block_rows)
      : queue_(device.queue()),
        problem_(problem),
        block_rows_(block_rows),
        blocks_((problem.count + block_rows - 1) / block_rows),
        x_(device, problem.x),
        y_(device, problem.y),
        row_lse_(device, problem.count),
        partial_(device, blocks_ * problem.count),
        column_lse_(device, problem.count),
        loss_sums_(device, blocks_),
        positive_(device, problem.count),
        grad_x_(device, problem.x.size()),
        grad_y_(device, std::vector<float>(problem.y.size())) {}

  Result result() {
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const InfoNceBlock block = block_at(b);
      info_nce_forward(queue_, block, row_lse_.get() + block.first_row,
                       partial_.get() + b * problem_.count, positive_.get() + block.first_row);
    }
    combine_column_lse(queue_, partial_.get(), blocks_, problem_.count, column_lse_.get());
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const InfoNceBlock block = block_at(b);
      info_nce_backward(queue_, block, row_lse_.get() + block.first_row, column_lse_.get(),
                        1.0f / static_cast<float>(problem_.count),
                        grad_x_.get() + block.first_row * problem_.width, grad_y_.get());
    }
    return {loss(), grad_x_.host(), grad_y_.host()};
  }

 private:
  InfoNceBlock block_at(std::int64_t b) const {
    const std::int64_t first = b * block_rows_;
    return {x_.get() + first * problem_.width,
            y_.get(),
            first,
            std::min(block_rows_, problem_.count - first),
            problem_.count,
            problem_.width,
            problem_.temperature,
            problem_.bf16};
  }

  double loss() const {
    for (std::int64_t b = 0; b < blocks_; ++b) {
      const InfoNceBlock block = block_at(b);
      info_nce_loss(queue_, block, row_lse_.get() + block.first_row, column_lse_.get(),
                    positive_.get() + block.first_row, loss_sums_.get() + b);
    }
    const auto sums = loss_sums_.host();
    return std::accumulate(sums.begin(), sums.end(), 0.0) / static_cast<double>(problem_.count);
  }

  Queue queue_;
  const Problem& problem_;
  std::int64_t block_rows_;
  std::int64_t blocks_;
  DeviceArray<float> x_, y_;
  DeviceArray<double> row_lse_, partial_, column_lse_, loss_sums_;
  DeviceArray<float> positive_, grad_x_, grad_y_;
};

Result run(TestDevice& device, const Problem& problem, std::int64_t block_rows) {
  return Run(device, problem, block_rows).result();
}

Result run_on_cpu(const Problem& problem, std::int64_t block_rows) {
  std::string none;
  return run(*testing::open_device("cpu", none), problem, block_rows);
}

float rounded_to_bf16(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bits = (bits + 0x7FFFU + (bits >> 16 & 1U)) & 0xFFFF0000U;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Eq. 5 and its derivative written out over the full matrix in double.
struct Reference {
  double loss = 0.0;
  std::vector<double> grad_x, grad_y;
};

std::vector<double> softmax_sum_gradient(const std::vector<double>& s, std::int64_t n,
                                         double& loss) {
  std::vector<double> gradient(s.size());
  for (int direction = 0; direction < 2; ++direction) {
    const std::int64_t outer = direction == 0 ? n : 1;
    const std::int64_t inner = direction == 0 ? 1 : n;
    for (std::int64_t i = 0; i < n; ++i) {
      double sum = 0.0;
      for (std::int64_t j = 0; j < n; ++j) {
        sum += std::exp(s[i * outer + j * inner]);
      }
      loss += (std::log(sum) - s[i * n + i]) / n;
      for (std::int64_t j = 0; j < n; ++j) {
        gradient[i * outer + j * inner] +=
            (std::exp(s[i * outer + j * inner]) / sum - (i == j)) / n;
      }
    }
  }
  return gradient;
}

Reference reference(const Problem& p) {
  const std::int64_t n = p.count;
  std::vector<double> s(n * n);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t k = 0; k < p.width; ++k) {
        s[i * n + j] += double{p.x[i * p.width + k]} * p.y[j * p.width + k] / p.temperature;
      }
    }
  }
  Reference result;
  const auto ds = softmax_sum_gradient(s, n, result.loss);
  result.grad_x.resize(n * p.width);
  result.grad_y.resize(n * p.width);
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t k = 0; k < p.width; ++k) {
        result.grad_x[i * p.width + k] += ds[i * n + j] * p.y[j * p.width + k] / p.temperature;
        result.grad_y[j * p.width + k] += ds[i * n + j] * p.x[i * p.width + k] / p.temperature;
      }
    }
  }
  return result;
}

struct Case {
  std::int64_t count, width, rows;
  float temperature, scale;
};

class InfoNceCases : public DeviceTest<Case> {};

// Relative to the largest gradient.
void expect_equal(const Result& got, const Reference& expected, double loss_tolerance,
                  double tolerance) {
  EXPECT_NEAR(got.loss, expected.loss, loss_tolerance * std::max(1.0, expected.loss));
  double largest = 1e-12;
  for (std::size_t i = 0; i < got.grad_x.size(); ++i) {
    largest = std::max({largest, std::fabs(expected.grad_x[i]), std::fabs(expected.grad_y[i])});
  }
  for (std::size_t i = 0; i < got.grad_x.size(); ++i) {
    ASSERT_NEAR(got.grad_x[i], expected.grad_x[i], tolerance * largest) << i;
    ASSERT_NEAR(got.grad_y[i], expected.grad_y[i], tolerance * largest) << i;
  }
}

TEST_P(InfoNceCases, EqualsTheFullMatrixInDouble) {
  const Case c = shape();
  const Problem p = random_problem(c.count, c.width, c.temperature, c.scale);
  expect_equal(run(device(), p, c.rows), reference(p), 1e-6, 1e-5);
}

// The reference sees the same rounded inputs, so that only sums and the rounding of the gradients
// of scores (2^-9 of each) are left.
TEST_P(InfoNceCases, InBf16EqualsTheFullMatrixOfRoundedInputs) {
  const Case c = shape();
  Problem p = random_problem(c.count, c.width, c.temperature, c.scale);
  for (std::vector<float>* values : {&p.x, &p.y}) {
    for (float& value : *values) {
      value = rounded_to_bf16(value);
    }
  }
  p.bf16 = true;
  expect_equal(run(device(), p, c.rows), reference(p), 1e-6, 4e-3);
}

TEST_P(InfoNceCases, BitsRepeat) {
  const Case c = shape();
  const Problem p = random_problem(c.count, c.width, c.temperature, c.scale);
  const Result first = run(device(), p, c.rows);
  const Result second = run(device(), p, c.rows);
  EXPECT_EQ(first.loss, second.loss);
  EXPECT_EQ(first.grad_x, second.grad_x);
  EXPECT_EQ(first.grad_y, second.grad_y);
}

// Temperatures of 0.05 and less spread the scores too far for one common exponent shift.
INSTANTIATE_TEST_SUITE_P(
    Cases, InfoNceCases,
    testing::on_every_device(Case{1, 1, 1, 1.0f, 0.5f}, Case{2, 3, 2, 1.0f, 0.5f},
                             Case{49, 16, 49, 0.5f, 0.3f}, Case{131, 20, 50, 1.0f, 0.3f},
                             Case{300, 64, 128, 0.2f, 0.1f}, Case{150, 7, 64, 0.05f, 0.8f},
                             Case{260, 33, 260, 0.02f, 0.4f},
                             // Several panels, stripes and tiles.
                             Case{611, 17, 430, 0.3f, 0.3f}, Case{611, 17, 430, 0.01f, 0.5f},
                             // Wider than what a block of the GPU holds at once.
                             Case{70, 530, 70, 0.5f, 0.1f}),
    testing::device_and_number<InfoNceCases::ParamType>);

Problem two_items(std::vector<float> x, float temperature) {
  return {2, 2, temperature, std::move(x), {1.0f, 0.0f, 0.0f, 1.0f}};
}

TEST(InfoNce, GivesTheWorkedValuesOfEquation5) {
  EXPECT_NEAR(run_on_cpu(two_items({1.0f, 0.0f, 0.0f, 1.0f}, 1.0f), 2).loss, 0.6265, 5e-5);
  EXPECT_NEAR(run_on_cpu(two_items({1.0f, 0.0f, 0.6f, 0.8f}, 1.0f), 2).loss, 0.8978, 5e-5);
  EXPECT_NEAR(run_on_cpu(two_items({1.0f, 0.0f, 0.6f, 0.8f}, 0.1f), 2).loss, 0.0727, 5e-5);
}

TEST(InfoNce, EqualScoresGiveTwoLogN) {
  const Problem p{3952, 1, 1.0f, std::vector<float>(3952, 0.0f), std::vector<float>(3952, 1.0f)};
  EXPECT_NEAR(run_on_cpu(p, 1024).loss, 2.0 * std::log(3952.0), 1e-9);
}

TEST(InfoNce, GradientFollowsFiniteDifferences) {
  Problem p = random_problem(60, 8, 0.7f, 0.5f);
  const Result at = run_on_cpu(p, 25);
  for (std::size_t i : {0u, 17u, 211u, 479u}) {
    const float before = p.x[i];
    const float step = 1e-2f;
    p.x[i] = before + step;
    const double above = run_on_cpu(p, 25).loss;
    p.x[i] = before - step;
    const double below = run_on_cpu(p, 25).loss;
    p.x[i] = before;
    EXPECT_NEAR(at.grad_x[i], (above - below) / (2.0 * step), 2e-5) << i;
  }
}

TEST(InfoNce, BitsDoNotDependOnThreads) {
  for (const float temperature : {0.3f, 0.01f}) {
    const Problem p = random_problem(999, 24, temperature, 0.3f);
    const Result one = run_on_cpu(p, 500);
    for (const int count : {2, 3, 8}) {
      ThreadCountGuard threads(count);
      const Result many = run_on_cpu(p, 500);
      EXPECT_EQ(one.loss, many.loss);
      EXPECT_EQ(one.grad_x, many.grad_x);
      EXPECT_EQ(one.grad_y, many.grad_y);
    }
  }
}

InfoNceBlock host_block(const Problem& p, std::int64_t first, std::int64_t rows) {
  return {p.x.data() + first * p.width, p.y.data(), first, rows, p.count, p.width, p.temperature};
}

class InfoNceEdges : public DeviceTest<int> {};

TEST_P(InfoNceEdges, AFrozenYChangesNothingElse) {
  const Problem p = random_problem(200, 5, 0.5f, 0.5f);
  const auto x = on_device(p.x);
  const auto y = on_device(p.y);
  const auto row_lse = empty<double>(p.count);
  const auto column_lse = empty<double>(p.count);
  const auto positive = empty<float>(p.count);
  const auto grad_x = empty<float>(p.count * p.width);
  const InfoNceBlock block{x.get(), y.get(), 0, p.count, p.count, p.width, p.temperature};
  info_nce_forward(queue(), block, row_lse.get(), column_lse.get(), positive.get());
  info_nce_backward(queue(), block, row_lse.get(), column_lse.get(), 1.0f / 200.0f, grad_x.get(),
                    nullptr);
  EXPECT_EQ(grad_x.host(), run(device(), p, p.count).grad_x);
}

TEST_P(InfoNceEdges, AnEmptyBlockAddsNothing) {
  const auto y = on_device(std::vector<float>(10, 1.0f));
  const auto column_lse = on_device(std::vector<double>(5, 3.0));
  const auto grad_y = on_device(std::vector<float>(10, 7.0f));
  const InfoNceBlock block{nullptr, y.get(), 5, 0, 5, 2, 1.0f};
  info_nce_forward(queue(), block, nullptr, column_lse.get(), nullptr);
  for (double lse : column_lse.host()) {
    EXPECT_EQ(lse, -std::numeric_limits<double>::infinity());
  }
  const auto loss_sum = on_device(std::vector<double>(1, 7.0));
  info_nce_loss(queue(), block, nullptr, column_lse.get(), nullptr, loss_sum.get());
  EXPECT_EQ(loss_sum.host()[0], 0.0);
  info_nce_backward(queue(), block, nullptr, column_lse.get(), 1.0f, nullptr, grad_y.get());
  EXPECT_EQ(grad_y.host(), std::vector<float>(10, 7.0f));
}

INSTANTIATE_TEST_SUITE_P(Edges, InfoNceEdges, testing::on_every_device(0),
                         testing::device_and_number<InfoNceEdges::ParamType>);

TEST(InfoNce, RefusesBrokenShapes) {
  const Problem p = random_problem(5, 2, 1.0f, 1.0f);
  std::vector<double> lse(5);
  std::vector<float> positive(5);
  InfoNceBlock block = host_block(p, 3, 3);
  EXPECT_THROW(info_nce_forward({}, block, lse.data(), lse.data(), positive.data()), Error);
  block = host_block(p, 0, 5);
  block.temperature = 0.0f;
  EXPECT_THROW(info_nce_forward({}, block, lse.data(), lse.data(), positive.data()), Error);
}

}  // namespace
}  // namespace rallrec::kernels
