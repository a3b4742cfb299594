#include "kernels/info_nce.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;
using rallrec::testing::ThreadCountGuard;

struct Result {
  double loss = 0.0;
  std::vector<float> grad_x, grad_y;
};

struct Problem {
  std::int64_t count, width;
  float temperature;
  std::vector<float> x, y;

  InfoNceBlock block(std::int64_t first, std::int64_t rows) const {
    return {x.data() + first * width, y.data(), first, rows, count, width, temperature};
  }
};

Problem random_problem(std::int64_t count, std::int64_t width, float temperature, float scale) {
  return {count, width, temperature, random_floats(count * width, 1, scale),
          random_floats(count * width, 2, scale)};
}

// Loss and gradients through the kernel, the rows cut into blocks of `rows`.
Result run(const Problem& p, std::int64_t rows) {
  const std::int64_t blocks = (p.count + rows - 1) / rows;
  std::vector<double> row_lse(p.count), partial(blocks * p.count), column_lse(p.count);
  std::vector<float> positive(p.count);
  for (std::int64_t b = 0; b < blocks; ++b) {
    const InfoNceBlock block = p.block(b * rows, std::min(rows, p.count - b * rows));
    info_nce_forward({}, block, row_lse.data() + b * rows, partial.data() + b * p.count,
                     positive.data() + b * rows);
  }
  combine_column_lse(partial.data(), blocks, p.count, column_lse.data());
  Result result;
  result.grad_x.assign(p.count * p.width, -5.0f);
  result.grad_y.assign(p.count * p.width, 0.0f);
  for (std::int64_t b = 0; b < blocks; ++b) {
    const InfoNceBlock block = p.block(b * rows, std::min(rows, p.count - b * rows));
    result.loss += info_nce_loss_sum(block, row_lse.data() + b * rows, column_lse.data(),
                                     positive.data() + b * rows) /
                   p.count;
    info_nce_backward({}, block, row_lse.data() + b * rows, column_lse.data(), 1.0f / p.count,
                      result.grad_x.data() + b * rows * p.width, result.grad_y.data());
  }
  return result;
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

class InfoNceCases : public ::testing::TestWithParam<Case> {};

TEST_P(InfoNceCases, EqualsTheFullMatrixInDouble) {
  const Case c = GetParam();
  const Problem p = random_problem(c.count, c.width, c.temperature, c.scale);
  const Result got = run(p, c.rows);
  const Reference expected = reference(p);
  EXPECT_NEAR(got.loss, expected.loss, 1e-6 * std::max(1.0, expected.loss));
  double largest = 1e-12;
  for (std::size_t i = 0; i < got.grad_x.size(); ++i) {
    largest = std::max({largest, std::fabs(expected.grad_x[i]), std::fabs(expected.grad_y[i])});
  }
  for (std::size_t i = 0; i < got.grad_x.size(); ++i) {
    ASSERT_NEAR(got.grad_x[i], expected.grad_x[i], 1e-5 * largest) << i;
    ASSERT_NEAR(got.grad_y[i], expected.grad_y[i], 1e-5 * largest) << i;
  }
}

// Temperatures of 0.05 and less spread the scores too far for one common exponent shift.
INSTANTIATE_TEST_SUITE_P(
    Cases, InfoNceCases,
    ::testing::Values(Case{1, 1, 1, 1.0f, 0.5f}, Case{2, 3, 2, 1.0f, 0.5f},
                      Case{49, 16, 49, 0.5f, 0.3f}, Case{131, 20, 50, 1.0f, 0.3f},
                      Case{300, 64, 128, 0.2f, 0.1f}, Case{150, 7, 64, 0.05f, 0.8f},
                      Case{260, 33, 260, 0.02f, 0.4f},
                      // Several panels, stripes and tiles.
                      Case{611, 17, 430, 0.3f, 0.3f}, Case{611, 17, 430, 0.01f, 0.5f}));

Problem two_items(std::vector<float> x, float temperature) {
  return {2, 2, temperature, std::move(x), {1.0f, 0.0f, 0.0f, 1.0f}};
}

TEST(InfoNce, GivesTheWorkedValuesOfEquation5) {
  EXPECT_NEAR(run(two_items({1.0f, 0.0f, 0.0f, 1.0f}, 1.0f), 2).loss, 0.6265, 5e-5);
  EXPECT_NEAR(run(two_items({1.0f, 0.0f, 0.6f, 0.8f}, 1.0f), 2).loss, 0.8978, 5e-5);
  EXPECT_NEAR(run(two_items({1.0f, 0.0f, 0.6f, 0.8f}, 0.1f), 2).loss, 0.0727, 5e-5);
}

TEST(InfoNce, EqualScoresGiveTwoLogN) {
  const Problem p{3952, 1, 1.0f, std::vector<float>(3952, 0.0f), std::vector<float>(3952, 1.0f)};
  EXPECT_NEAR(run(p, 1024).loss, 2.0 * std::log(3952.0), 1e-9);
}

TEST(InfoNce, GradientFollowsFiniteDifferences) {
  Problem p = random_problem(60, 8, 0.7f, 0.5f);
  const Result at = run(p, 25);
  for (std::size_t i : {0u, 17u, 211u, 479u}) {
    const float before = p.x[i];
    const float step = 1e-2f;
    p.x[i] = before + step;
    const double above = run(p, 25).loss;
    p.x[i] = before - step;
    const double below = run(p, 25).loss;
    p.x[i] = before;
    EXPECT_NEAR(at.grad_x[i], (above - below) / (2.0 * step), 2e-5) << i;
  }
}

TEST(InfoNce, BitsDoNotDependOnThreads) {
  for (const float temperature : {0.3f, 0.01f}) {
    const Problem p = random_problem(999, 24, temperature, 0.3f);
    const Result one = run(p, 500);
    for (const int count : {2, 3, 8}) {
      ThreadCountGuard threads(count);
      const Result many = run(p, 500);
      EXPECT_EQ(one.loss, many.loss);
      EXPECT_EQ(one.grad_x, many.grad_x);
      EXPECT_EQ(one.grad_y, many.grad_y);
    }
  }
}

TEST(InfoNce, AFrozenYChangesNothingElse) {
  const Problem p = random_problem(200, 5, 0.5f, 0.5f);
  std::vector<double> row_lse(p.count), column_lse(p.count);
  std::vector<float> positive(p.count), grad_x(p.count * p.width);
  info_nce_forward({}, p.block(0, p.count), row_lse.data(), column_lse.data(), positive.data());
  info_nce_backward({}, p.block(0, p.count), row_lse.data(), column_lse.data(), 1.0f / p.count,
                    grad_x.data(), nullptr);
  EXPECT_EQ(grad_x, run(p, p.count).grad_x);
}

TEST(InfoNce, AnEmptyBlockAddsNothing) {
  const Problem p = random_problem(5, 2, 1.0f, 1.0f);
  std::vector<double> column_lse(5, 3.0);
  info_nce_forward({}, p.block(5, 0), nullptr, column_lse.data(), nullptr);
  for (double lse : column_lse) {
    EXPECT_EQ(lse, -std::numeric_limits<double>::infinity());
  }
}

TEST(InfoNce, RefusesBrokenShapes) {
  const Problem p = random_problem(5, 2, 1.0f, 1.0f);
  std::vector<double> lse(5);
  std::vector<float> positive(5);
  InfoNceBlock block = p.block(3, 3);
  EXPECT_THROW(info_nce_forward({}, block, lse.data(), lse.data(), positive.data()), Error);
  block = p.block(0, 5);
  block.temperature = 0.0f;
  EXPECT_THROW(info_nce_forward({}, block, lse.data(), lse.data(), positive.data()), Error);
}

}  // namespace
}  // namespace rallrec::kernels
