#include "kernels/int8_matmul.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
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

using Parameter = std::tuple<Int8Level, Case>;

std::string name_of(Int8Level level) {
  switch (level) {
    case Int8Level::kAmx:
      return "Amx";
    case Int8Level::kVnni:
      return "Vnni";
    case Int8Level::kAvx2:
      return "Avx2";
    case Int8Level::kBaseline:
      break;
  }
  return "Baseline";
}

// Every level on every shape; levels that this processor lacks are skipped by name.
class Int8Matmul : public ::testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    if (!has_int8_level(level_)) {
      GTEST_SKIP() << "this processor has no " << int8_level_name(level_);
    }
  }

  Int8Level level_ = std::get<0>(GetParam());
  Case case_ = std::get<1>(GetParam());
};

// The formula in double from the definition of the quantisation, not from quantize_rows.
TEST_P(Int8Matmul, EqualsTheFormulaInDouble) {
  const auto [rows, depth, columns] = case_;
  const std::vector<float> x = random_floats(rows * depth, 1);
  const std::vector<float> input_scale = random_floats(depth, 2);
  const std::vector<float> b_scale = random_floats(columns, 3);
  const std::vector<std::int8_t> w = random_bytes(columns * depth);  // [columns, depth]
  std::vector<std::int8_t> packed(static_cast<std::size_t>(int8_packed_size(depth, columns)));
  pack_int8(w.data(), 1, depth, depth, columns, packed.data());
  QuantizedRows q(rows, depth, level_);
  quantize_rows({}, x.data(), input_scale.data(), q);
  std::vector<float> c(static_cast<std::size_t>(rows * columns), 1.0F);
  int8_matmul({}, {rows, depth, columns}, q, packed.data(), b_scale.data(), true, c.data());
  for (std::int64_t i = 0; i < rows; ++i) {
    float largest = 0.0F;
    for (std::int64_t k = 0; k < depth; ++k) {
      largest = std::max(largest, std::fabs(x[i * depth + k] * input_scale[k]));
    }
    EXPECT_FLOAT_EQ(q.scale()[i], largest / 127.0F);
    for (std::int64_t k = 0; k < depth; ++k) {
      const double exact = double{x[i * depth + k]} * input_scale[k] / (largest / 127.0);
      ASSERT_LE(std::fabs(q.value(i, k) - exact), 0.5001);
    }
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += double{1} * q.value(i, k) * w[j * depth + k];
      }
      const double expected = 1.0 + sum * q.scale()[i] * b_scale[j];
      ASSERT_NEAR(c[i * columns + j], expected, 1e-5 * (1.0 + std::fabs(expected)));
    }
  }
}

// The values that a level quantises to, and the bits of the result, are those of plain loops.
TEST_P(Int8Matmul, HasTheBitsOfPlainIntegerCode) {
  const auto [rows, depth, columns] = case_;
  const std::vector<float> b_scale = random_floats(columns, 3);
  const std::vector<std::int8_t> w = random_bytes(columns * depth);
  std::vector<std::int8_t> packed(static_cast<std::size_t>(int8_packed_size(depth, columns)));
  pack_int8(w.data(), 1, depth, depth, columns, packed.data());
  QuantizedRows q(rows, depth, level_);
  for (std::int64_t i = 0; i < rows; ++i) {
    q.scale()[i] = 0.3F + 0.01F * static_cast<float>(i);
    for (std::int64_t k = 0; k < depth; ++k) {
      q.set(i, k, static_cast<int>((i * 89 + k * 57) % 255) - 127);
    }
  }
  for (const bool accumulate : {false, true}) {
    std::vector<float> c(static_cast<std::size_t>(rows * columns), 0.7F);
    int8_matmul({}, {rows, depth, columns}, q, packed.data(), b_scale.data(), accumulate, c.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        std::int64_t sum = 0;
        for (std::int64_t k = 0; k < depth; ++k) {
          sum += ((i * 89 + k * 57) % 255 - 127) * w[j * depth + k];
        }
        const float scale = q.scale()[i] * b_scale[j];
        const volatile float product = scale * static_cast<float>(sum);  // never fused with the sum
        ASSERT_EQ(c[i * columns + j], accumulate ? 0.7F + product : product) << i << " " << j;
      }
    }
  }
}

// dx = dy W for W [out, in] = [columns, depth], packed as for y = x Wᵀ.
TEST_P(Int8Matmul, TransposedEqualsTheExactSums) {
  const auto [rows, depth, columns] = case_;
  const std::vector<std::int8_t> w = random_bytes(columns * depth);
  std::vector<std::int8_t> packed(static_cast<std::size_t>(int8_packed_size(depth, columns)));
  pack_int8(w.data(), 1, depth, depth, columns, packed.data());
  const std::vector<float> dy = random_floats(rows * columns, 4);
  QuantizedRows q(rows, columns, level_);
  quantize_rows({}, dy.data(), nullptr, q);
  for (const bool accumulate : {false, true}) {
    std::vector<float> dx(static_cast<std::size_t>(rows * depth), 2.0F);
    int8_matmul_transposed({}, {rows, columns, depth}, q, packed.data(), accumulate, dx.data());
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t k = 0; k < depth; ++k) {
        std::int64_t sum = 0;
        for (std::int64_t j = 0; j < columns; ++j) {
          sum += std::int64_t{q.value(i, j)} * w[j * depth + k];
        }
        const volatile float product = q.scale()[i] * static_cast<float>(sum);
        ASSERT_EQ(dx[i * depth + k], accumulate ? 2.0F + product : product) << i << " " << k;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, Int8Matmul,
                         ::testing::Combine(::testing::ValuesIn(kInt8Levels),
                                            ::testing::Values(Case{0, 3, 5}, Case{1, 1, 1},
                                                              Case{3, 7, 17}, Case{4, 64, 16},
                                                              Case{5, 33, 48}, Case{32, 65, 32},
                                                              Case{33, 66, 33}, Case{97, 130, 100},
                                                              Case{200, 96, 31}, Case{770, 5, 3})),
                         [](const ::testing::TestParamInfo<Parameter>& info) {
                           const Case shape = std::get<1>(info.param);
                           return name_of(std::get<0>(info.param)) + "_" +
                                  std::to_string(shape.rows) + "x" + std::to_string(shape.depth) +
                                  "x" + std::to_string(shape.columns);
                         });

class Int8Levels : public ::testing::TestWithParam<Int8Level> {
 protected:
  void SetUp() override {
    if (!has_int8_level(GetParam())) {
      GTEST_SKIP() << "this processor has no " << int8_level_name(GetParam());
    }
  }
};

// In every place of the row: vector lanes and the rest.
TEST_P(Int8Levels, ARowThatIsNotFiniteGivesNoFiniteProduct) {
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
      QuantizedRows q(3, kDepth, GetParam());
      quantize_rows({}, x.data(), place % 2 == 0 ? nullptr : ones.data(), q);
      std::vector<float> c(3);
      int8_matmul({}, {3, kDepth, 1}, q, packed.data(), ones.data(), false, c.data());
      EXPECT_TRUE(std::isfinite(c[0]) && std::isfinite(c[2]));
      EXPECT_FALSE(std::isfinite(c[1])) << bad << " at " << place;
    }
  }
}

TEST_P(Int8Levels, ExtremesSumExactly) {
  const std::int64_t depth = 14336;
  std::vector<std::int8_t> w(depth, 127);
  std::vector<std::int8_t> packed(static_cast<std::size_t>(int8_packed_size(depth, 1)));
  pack_int8(w.data(), 1, depth, depth, 1, packed.data());
  for (const int extreme : {-127, 127}) {
    QuantizedRows q(1, depth, GetParam());
    q.scale()[0] = 1.0F;
    for (std::int64_t k = 0; k < depth; ++k) {
      q.set(0, k, extreme);
    }
    float c = 0.0F;
    int8_matmul({}, {1, depth, 1}, q, packed.data(), nullptr, false, &c);
    EXPECT_EQ(c, static_cast<float>(127LL * extreme * depth));
  }
}

TEST_P(Int8Levels, WritesNothingWithoutColumns) {
  const QuantizedRows q(2, 3, GetParam());
  int8_matmul({}, {2, 3, 0}, q, nullptr, nullptr, false, nullptr);
  int8_matmul_transposed({}, {2, 3, 0}, q, nullptr, false, nullptr);
}

TEST_P(Int8Levels, PassesItsTrial) { EXPECT_TRUE(int8_level_is_exact(GetParam())); }

TEST_P(Int8Levels, QuantisesLikeTheOthers) {
  const std::int64_t rows = 5, depth = 77;
  const std::vector<float> x = random_floats(rows * depth, 5);
  QuantizedRows here(rows, depth, GetParam());
  QuantizedRows baseline(rows, depth, Int8Level::kBaseline);
  quantize_rows({}, x.data(), nullptr, here);
  quantize_rows({}, x.data(), nullptr, baseline);
  for (std::int64_t i = 0; i < rows; ++i) {
    EXPECT_EQ(here.scale()[i], baseline.scale()[i]);
    for (std::int64_t k = 0; k < depth; ++k) {
      EXPECT_EQ(here.value(i, k), baseline.value(i, k));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Int8Levels, ::testing::ValuesIn(kInt8Levels),
                         [](const ::testing::TestParamInfo<Int8Level>& info) {
                           return name_of(info.param);
                         });

TEST(Int8Level, IsTheBestThatThisProcessorHas) {
  Int8Level best = Int8Level::kBaseline;
  for (const Int8Level level : kInt8Levels) {
    best = has_int8_level(level) ? level : best;
  }
  EXPECT_EQ(int8_level(), best);
  EXPECT_EQ(int8_level_warning(), "");
}

TEST(Int8Level, FallsBackWhereSumsAreWrongAndSaysSo) {
  const auto has_all_but_amx = [](Int8Level level) { return level != Int8Level::kAmx; };
  const auto wrong_from_vnni = [](Int8Level level) { return level < Int8Level::kVnni; };
  const Int8Choice choice = choose_int8_level(has_all_but_amx, wrong_from_vnni);
  EXPECT_EQ(choice.level, Int8Level::kAvx2);
  EXPECT_NE(choice.warning.find("AVX-512 VNNI"), std::string::npos);
  EXPECT_EQ(choice.warning.find("AMX"), std::string::npos);
  const auto none = [](Int8Level) { return false; };
  EXPECT_EQ(choose_int8_level(none, none).level, Int8Level::kBaseline);
}

TEST(Int8MatmulChecks, RefusesADepthThatCouldOverflow) {
  const std::int64_t depth = kInt8MaxDepth + 2;
  EXPECT_THROW(
      int8_matmul({}, {1, depth, 1}, QuantizedRows(1, depth), nullptr, nullptr, false, nullptr),
      Error);
}

TEST(Int8MatmulChecks, RefusesRowsOfAnotherShape) {
  EXPECT_THROW(int8_matmul({}, {2, 8, 1}, QuantizedRows(1, 8), nullptr, nullptr, false, nullptr),
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
