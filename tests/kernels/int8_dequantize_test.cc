#include "kernels/int8_dequantize.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/rng.h"
#include "kernels/int8_matmul.h"
#include "kernels/tile_matmul.h"

namespace rallrec::kernels {
namespace {

struct Shape {
  std::int64_t depth, columns;
};

class Int8Dequantize : public ::testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    Rng rng(8);
    for (std::int64_t j = 0; j < columns_; ++j) {
      scale_.push_back(static_cast<float>(rng.next_normal()));
    }
    std::vector<std::int8_t> q;
    for (std::int64_t e = 0; e < depth_ * columns_; ++e) {
      q.push_back(static_cast<std::int8_t>(static_cast<int>(rng.next_below(255)) - 127));
      weight_.push_back(static_cast<float>(q.back()) *
                        scale_[static_cast<std::size_t>(e % columns_)]);
    }
    packed_.resize(static_cast<std::size_t>(int8_packed_size(depth_, columns_)));
    pack_int8(q.data(), columns_, 1, depth_, columns_, packed_.data());
    b_ = {depth_, columns_, packed_.data(), scale_.data()};
  }

  std::int64_t depth_ = GetParam().depth;
  std::int64_t columns_ = GetParam().columns;
  std::vector<float> weight_;  // [depth, columns]
  std::vector<float> scale_;
  std::vector<std::int8_t> packed_;
  Int8Packed b_;
};

// Panels of the right size for a matrix, filled with a value that is none of its own.
std::vector<float> panels_for(std::int64_t depth, std::int64_t columns) {
  return std::vector<float>(static_cast<std::size_t>(packed_size(depth, columns)), 1e9F);
}

TEST_P(Int8Dequantize, PanelsAreThoseOfTheProductsOfValueAndScale) {
  auto want = panels_for(depth_, columns_);
  pack_panels(weight_.data(), columns_, 1, depth_, columns_, want.data());
  auto got = panels_for(depth_, columns_);
  dequantize_panels({}, b_, got.data());
  EXPECT_EQ(got, want);
}

TEST_P(Int8Dequantize, TurnedPanelsAreThoseOfTheTranspose) {
  auto want = panels_for(columns_, depth_);
  pack_panels(weight_.data(), 1, columns_, columns_, depth_, want.data());
  auto got = panels_for(columns_, depth_);
  dequantize_turned_panels({}, b_, got.data());
  EXPECT_EQ(got, want);
}

// The nearest of the two bf16 numbers around the value, the even one where both are as near.
TEST_P(Int8Dequantize, Bfloat16RowsAreRoundedToNearestEven) {
  std::vector<std::uint16_t> got(static_cast<std::size_t>(depth_ * columns_));
  dequantize_bfloat16({}, b_, got.data());
  for (std::int64_t j = 0; j < columns_; ++j) {
    for (std::int64_t k = 0; k < depth_; ++k) {
      const float value = weight_[static_cast<std::size_t>(k * columns_ + j)];
      const auto as_float = [](std::uint32_t bits) {
        float number = 0;
        std::memcpy(&number, &bits, sizeof(number));
        return double{number};
      };
      std::uint32_t bits = 0;
      std::memcpy(&bits, &value, sizeof(bits));
      const std::uint32_t low = bits & 0xFFFF0000U;
      const double to_low = std::abs(value - as_float(low));
      const double to_high = std::abs(as_float(low + 0x10000U) - value);
      const bool up = to_high < to_low || (to_high == to_low && (low >> 16 & 1U) != 0);
      ASSERT_EQ(got[static_cast<std::size_t>(j * depth_ + k)], (up ? low + 0x10000U : low) >> 16);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Int8Dequantize,
                         ::testing::Values(Shape{1, 1}, Shape{5, 3}, Shape{16, 16}, Shape{33, 18},
                                           Shape{96, 70}));

}  // namespace
}  // namespace rallrec::kernels
