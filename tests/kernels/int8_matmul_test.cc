#include "kernels/int8_matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/rng.h"

namespace rallrec::kernels {
namespace {

struct Case {
  std::int64_t rows, depth, columns;
};

std::vector<float> random_floats(std::int64_t count, std::uint64_t stream) {
  Rng rng(7, stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) {
    value = static_cast<float>(rng.next_normal());
  }
  return values;
}

std::vector<std::int8_t> random_bytes(std::int64_t count) {
  Rng rng(9);
  std::vector<std::int8_t> values(static_cast<std::size_t>(count));
  for (std::int8_t& value : values) {
    value = static_cast<std::int8_t>(static_cast<int>(rng.next_below(255)) - 127);
  }
  return values;
}

class Int8Matmul : public ::testing::TestWithParam<Case> {};

// The formula in double from the definition of the quantisation, not from quantize_rows.
TEST_P(Int8Matmul, EqualsTheFormulaInDouble) {
  const auto [rows, depth, columns] = GetParam();
  const std::vector<float> x = random_floats(rows * depth, 1);
  const std::vector<float> input_scale = random_floats(depth, 2);
  const std::vector<float> b_scale = random_floats(columns, 3);
  const std::vector<std::int8_t> w = random_bytes(columns * depth);  // [columns, depth]
  std::vector<std::int8_t> packed(static_cast<std::size_t>(int8_packed_size(depth, columns)));
  pack_int8(w.data(), 1, depth, depth, columns, packed.data());
  std::vector<std::int16_t> q(static_cast<std::size_t>(rows * int8_padded_depth(depth)));
  std::vector<float> scale(static_cast<std::size_t>(rows));
  quantize_rows({}, rows, depth, x.data(), input_scale.data(), q.data(), scale.data());
  std::vector<float> c(static_cast<std::size_t>(rows * columns), 1.0F);
  int8_matmul({}, {rows, depth, columns}, q.data(), scale.data(), packed.data(), b_scale.data(),
              true, c.data());
  for (std::int64_t i = 0; i < rows; ++i) {
    float largest = 0.0F;
    for (std::int64_t k = 0; k < depth; ++k) {
      largest = std::max(largest, std::fabs(x[i * depth + k] * input_scale[k]));
    }
    EXPECT_FLOAT_EQ(scale[i], largest / 127.0F);
    for (std::int64_t k = 0; k < depth; ++k) {
      const double exact = double{x[i * depth + k]} * input_scale[k] / (largest / 127.0);
      ASSERT_LE(std::fabs(q[i * int8_padded_depth(depth) + k] - exact), 0.5001);
    }
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += double{1} * q[i * int8_padded_depth(depth) + k] * w[j * depth + k];
      }
      const double expected = 1.0 + sum * scale[i] * b_scale[j];
      ASSERT_NEAR(c[i * columns + j], expected, 1e-5 * (1.0 + std::fabs(expected)));
    }
  }
}

// In every place of the row: vector lanes and the rest.
TEST(QuantizeRows, ARowThatIsNotFiniteGivesNoFiniteProduct) {
  constexpr std::int64_t kDepth = 19;
  const std::vector<std::int8_t> w = random_bytes(kDepth);
  std::vector<std::int8_t> packed(static_cast<std::size_t>(int8_packed_size(kDepth, 1)));
  pack_int8(w.data(), 1, kDepth, kDepth, 1, packed.data());
  const std::vector<float> ones(kDepth, 1.0F);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
        -std::numeric_limits<float>::infinity()}) {
    for (std::int64_t place = 0; place < kDepth; ++place) {
      std::vector<float> x = random_floats(3 * kDepth, 4);
      x[static_cast<std::size_t>(kDepth + place)] = bad;
      std::vector<std::int16_t> q(static_cast<std::size_t>(3 * int8_padded_depth(kDepth)));
      std::vector<float> scale(3);
      quantize_rows({}, 3, kDepth, x.data(), place % 2 == 0 ? nullptr : ones.data(), q.data(),
                    scale.data());
      std::vector<float> c(3);
      int8_matmul({}, {3, kDepth, 1}, q.data(), scale.data(), packed.data(), ones.data(), false,
                  c.data());
      EXPECT_TRUE(std::isfinite(c[0]) && std::isfinite(c[2]));
      EXPECT_FALSE(std::isfinite(c[1])) << bad << " at " << place;
    }
  }
}

// dx = dy W for W [out, in] = [columns, depth], packed as for y = x Wᵀ.
TEST_P(Int8Matmul, TransposedEqualsTheExactSums) {
  const auto [rows, depth, columns] = GetParam();
  const std::vector<std::int8_t> w = random_bytes(columns * depth);
  std::vector<std::int8_t> packed(static_cast<std::size_t>(int8_packed_size(depth, columns)));
  pack_int8(w.data(), 1, depth, depth, columns, packed.data());
  const std::vector<float> dy = random_floats(rows * columns, 4);
  const std::int64_t padded = int8_padded_depth(columns);
  std::vector<std::int16_t> q(static_cast<std::size_t>(rows * padded));
  std::vector<float> scale(static_cast<std::size_t>(rows));
  quantize_rows({}, rows, columns, dy.data(), nullptr, q.data(), scale.data());
  for (const bool accumulate : {false, true}) {
    std::vector<float> dx(static_cast<std::size_t>(rows * depth), 2.0F);
    int8_matmul_transposed({}, {rows, columns, depth}, q.data(), scale.data(), packed.data(),
                           accumulate, dx.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t k = 0; k < depth; ++k) {
        std::int64_t sum = 0;
        for (std::int64_t j = 0; j < columns; ++j) {
          sum += std::int64_t{q[i * padded + j]} * w[j * depth + k];
        }
        const float product = scale[i] * static_cast<float>(sum);
        ASSERT_EQ(dx[i * depth + k], accumulate ? 2.0F + product : product) << i << " " << k;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Int8Matmul,
                         ::testing::Values(Case{0, 3, 5}, Case{1, 1, 1}, Case{3, 7, 17},
                                           Case{4, 64, 16}, Case{5, 33, 48}, Case{97, 130, 100},
                                           Case{200, 96, 31}));

TEST(Int8Matmul, ExtremesSumExactly) {
  const std::int64_t depth = 14336;
  std::vector<std::int8_t> w(depth, 127);
  std::vector<std::int8_t> packed(static_cast<std::size_t>(int8_packed_size(depth, 1)));
  pack_int8(w.data(), 1, depth, depth, 1, packed.data());
  const std::vector<std::int16_t> q(depth, -127);
  const float one = 1.0F;
  float c = 0.0F;
  int8_matmul({}, {1, depth, 1}, q.data(), &one, packed.data(), nullptr, false, &c);
  EXPECT_EQ(c, static_cast<float>(-127LL * 127 * depth));
}

TEST(Int8Matmul, RefusesADepthThatCouldOverflow) {
  EXPECT_THROW(int8_matmul({}, {1, kInt8MaxDepth + 2, 1}, nullptr, nullptr, nullptr, nullptr, false,
                           nullptr),
               Error);
}

TEST(QuantizeWeightRows, KeepsTheLargestAndRoundsTheRest) {
  const std::vector<float> x = {1.0F, -2.54F, 0.01F, 0.0F, 0.0F, 0.0F};
  std::vector<std::int8_t> q(6);
  std::vector<float> scale(2);
  quantize_weight_rows(2, 3, x.data(), q.data(), scale.data());
  EXPECT_EQ(q, (std::vector<std::int8_t>{50, -127, 0, 0, 0, 0}));
  EXPECT_FLOAT_EQ(scale[0], 0.02F);
  EXPECT_EQ(scale[1], 0.0F);
}

}  // namespace
}  // namespace rallrec::kernels
