#include "kernels/label_loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/parallel_for.h"
#include "core/rng.h"

namespace rallrec::kernels {
namespace {

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

  HeadPart head(bool bf16) const {
    return {bf16 ? nullptr : weight.data(), bf16 ? half.data() : nullptr, size.vocabulary,
            size.hidden};
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

Result run(const Problem& problem, bool bf16, double scale) {
  Result result{std::vector<float>(problem.labels.size(), -1.0F),
                std::vector<float>(problem.x.size(), -1.0F)};
  label_loss({}, problem.head(bf16), problem.size.rows, problem.x.data(), problem.labels.data(),
             scale, result.losses.data(), result.dx.data());
  return result;
}

class LabelLoss : public ::testing::TestWithParam<Case> {};

TEST_P(LabelLoss, EqualsTheFormulaInDouble) {
  const Problem problem(GetParam());
  const auto [rows, hidden, vocabulary] = GetParam();
  const double scale = 0.25;
  for (const bool bf16 : {false, true}) {
    const Result result = run(problem, bf16, scale);
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

INSTANTIATE_TEST_SUITE_P(Shapes, LabelLoss,
                         ::testing::Values(Case{0, 16, 5}, Case{1, 1, 1}, Case{1, 24, 7},
                                           Case{3, 16, 64}, Case{17, 33, 130}, Case{65, 48, 1000},
                                           Case{130, 20, 257}));

TEST(LabelLossBits, DoNotDependOnOtherRowsOrThreads) {
  const Problem all({70, 40, 500});
  const Result together = run(all, false, 1.0);
  set_thread_count(2);
  const Result threads = run(all, false, 1.0);
  set_thread_count(1);
  EXPECT_EQ(together.losses, threads.losses);
  EXPECT_EQ(together.dx, threads.dx);
  for (const std::int64_t row : {0, 5, 63, 64, 69}) {
    float loss = 0.0F;
    std::vector<float> dx(40);
    label_loss({}, all.head(false), 1, all.x.data() + row * 40, &all.labels[row], 1.0, &loss,
               dx.data());
    EXPECT_EQ(loss, together.losses[row]);
    EXPECT_EQ(0, std::memcmp(dx.data(), together.dx.data() + row * 40, dx.size() * sizeof(float)));
  }
}

TEST(LabelLossBits, HugeLogitsStayFinite) {
  Problem problem({4, 16, 300});
  for (float& value : problem.x) {
    value *= 1000.0F;
  }
  for (const float loss : run(problem, false, 1.0).losses) {
    EXPECT_TRUE(std::isfinite(loss));
    EXPECT_GE(loss, 0.0F);
  }
}

}  // namespace
}  // namespace rallrec::kernels
