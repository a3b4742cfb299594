#include "kernels/int8_dequantize.h"

#include <cstring>
#include <vector>

#include "core/rng.h"
#include "kernels/int8_matmul.h"
#include "kernels/tile_matmul.h"
#include "tests/support/device/test_device.h"

namespace rallrec::kernels {
namespace {

struct Shape {
  std::int64_t depth, columns;
};

// A matrix of random values and scales.
struct Packed {
  explicit Packed(const Shape& s) : depth(s.depth), columns(s.columns) {
    Rng rng(8);
    for (std::int64_t j = 0; j < columns; ++j) {
      scale.push_back(static_cast<float>(rng.next_normal()));
    }
    std::vector<std::int8_t> q;
    for (std::int64_t e = 0; e < depth * columns; ++e) {
      q.push_back(static_cast<std::int8_t>(static_cast<int>(rng.next_below(255)) - 127));
      weight.push_back(static_cast<float>(q.back()) * scale[static_cast<std::size_t>(e % columns)]);
    }
    packed.resize(static_cast<std::size_t>(int8_packed_size(depth, columns)));
    pack_int8(q.data(), columns, 1, depth, columns, packed.data());
  }
  Int8Packed view() const { return {depth, columns, packed.data(), scale.data()}; }

  std::int64_t depth, columns;
  std::vector<float> weight;  // [depth, columns]
  std::vector<float> scale;
  std::vector<std::int8_t> packed;
};

class Int8Panels : public ::testing::TestWithParam<Shape> {
 protected:
  Packed b_{GetParam()};
};

// Panels of the right size for a matrix, filled with a value that is none of its own.
std::vector<float> panels_for(std::int64_t depth, std::int64_t columns) {
  return std::vector<float>(static_cast<std::size_t>(packed_size(depth, columns)), 1e9F);
}

TEST_P(Int8Panels, PanelsAreThoseOfTheProductsOfValueAndScale) {
  auto want = panels_for(b_.depth, b_.columns);
  pack_panels(b_.weight.data(), b_.columns, 1, b_.depth, b_.columns, want.data());
  auto got = panels_for(b_.depth, b_.columns);
  dequantize_panels({}, b_.view(), got.data());
  EXPECT_EQ(got, want);
}

TEST_P(Int8Panels, TurnedPanelsAreThoseOfTheTranspose) {
  auto want = panels_for(b_.columns, b_.depth);
  pack_panels(b_.weight.data(), 1, b_.columns, b_.columns, b_.depth, want.data());
  auto got = panels_for(b_.columns, b_.depth);
  dequantize_turned_panels({}, b_.view(), got.data());
  EXPECT_EQ(got, want);
}

class Int8Dequantize : public testing::DeviceTest<Shape> {};

// The nearest of the two bf16 numbers around the value, the even one where both are as near.
TEST_P(Int8Dequantize, Bfloat16RowsAreRoundedToNearestEven) {
  const Packed b(shape());
  const auto packed = on_device(b.packed);
  const auto scale = on_device(b.scale);
  const auto rows = on_device(std::vector<std::uint16_t>(b.weight.size() + 1, 0x4242));
  dequantize_bfloat16(queue(), {b.depth, b.columns, packed.get(), scale.get()}, rows.get());
  const auto got = rows.host();
  EXPECT_EQ(got.back(), 0x4242);
  for (std::int64_t j = 0; j < b.columns; ++j) {
    for (std::int64_t k = 0; k < b.depth; ++k) {
      const float value = b.weight[static_cast<std::size_t>(k * b.columns + j)];
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
      ASSERT_EQ(got[static_cast<std::size_t>(j * b.depth + k)], (up ? low + 0x10000U : low) >> 16);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Int8Panels,
                         ::testing::Values(Shape{1, 1}, Shape{5, 3}, Shape{16, 16}, Shape{33, 18},
                                           Shape{96, 70}));

// The depth below, at and beyond what a block takes, in eights and not.
INSTANTIATE_TEST_SUITE_P(All, Int8Dequantize,
                         testing::on_every_device(Shape{0, 3}, Shape{3, 0}, Shape{1, 1},
                                                  Shape{5, 3}, Shape{16, 16}, Shape{33, 18},
                                                  Shape{96, 70}, Shape{128, 17}, Shape{136, 33},
                                                  Shape{259, 5}),
                         testing::device_and_number<Int8Dequantize::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
