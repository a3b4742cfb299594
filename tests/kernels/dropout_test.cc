#include "kernels/dropout.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/error.h"
#include "core/parallel_for.h"
#include "core/rng.h"

namespace rallrec::kernels {
namespace {

std::vector<float> random_values(std::int64_t count, std::uint64_t stream) {
  std::vector<float> values(static_cast<std::size_t>(count));
  Rng rng(31, stream);
  for (float& value : values) {
    value = static_cast<float>(2.0 * rng.next_normal());
  }
  return values;
}

// The masks of whole samples.
void mask_of(const DropoutStream& stream, double rate, const std::vector<std::int64_t>& samples,
             const std::vector<std::int64_t>& offsets, std::int64_t channels, std::uint8_t* mask) {
  std::vector<std::int64_t> tokens;
  for (std::size_t s = 0; s < samples.size(); ++s) {
    for (std::int64_t t = 0; t < offsets[s + 1] - offsets[s]; ++t) {
      tokens.push_back(t);
    }
  }
  dropout_mask({}, stream, rate, {samples, offsets, tokens.data()}, channels, mask);
}

// Rows 0, 1 and enough for several threads; columns below, at and beyond a vector.
struct Shape {
  std::int64_t rows;
  std::int64_t columns;
};
class RowShapes : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override { set_thread_count(2); }
  void TearDown() override { set_thread_count(1); }
};

TEST_P(RowShapes, DropoutFollowsItsMask) {
  const auto [rows, n] = GetParam();
  const std::int64_t bytes = dropout_mask_bytes(n);
  std::vector<std::uint8_t> mask(std::size_t(rows * bytes));
  mask_of({1, 2, 3, 4}, 0.3, {17}, {0, rows}, n, mask.data());
  const auto x = random_values(rows * n, 8);
  std::vector<float> y(x.size());
  std::vector<float> sum(x.size(), 1.0F);
  dropout_apply({}, 0.3, rows, n, mask.data(), x.data(), false, y.data());
  dropout_apply({}, 0.3, rows, n, mask.data(), x.data(), true, sum.data());
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < n; ++c) {
      const auto at = std::size_t(i * n + c);
      const bool kept = (mask[std::size_t(i * bytes + c / 8)] >> (c % 8) & 1) != 0;
      ASSERT_NEAR(y[at], kept ? x[at] / 0.7 : 0.0, 1e-5);
      ASSERT_EQ(sum[at], 1.0F + y[at]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RowShapes,
                         testing::Values(Shape{0, 5}, Shape{1, 1}, Shape{3, 7}, Shape{40, 64},
                                         Shape{65, 577}, Shape{2, 5000}));

TEST(DropoutMask, IsPhiloxOfItsKeyWhateverThePacking) {
  const std::int64_t channels = 83;
  const std::int64_t bytes = dropout_mask_bytes(channels);
  const std::int64_t big_sample = (std::int64_t{5} << 32) + 9;
  std::vector<std::uint8_t> mask(std::size_t(30 * bytes));
  mask_of({77, 6, 12, 4}, 0.05, {3, big_sample}, {0, 10, 30}, channels, mask.data());
  const auto words = philox4x32(77, {6, 0, 0x64726F70, 0});
  const std::uint64_t key = std::uint64_t{words[0]} << 32 | words[1];
  for (std::int64_t t = 0; t < 20; ++t) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto draw =
          philox4x32(key, {std::uint32_t(c / 8) | 5U << 20, std::uint32_t(t), 9, 12 * 16 + 4});
      const std::uint32_t bits = draw[std::size_t(c % 8 / 2)] >> (16 * (c % 2)) & 0xFFFF;
      const bool kept = (mask[std::size_t((10 + t) * bytes + c / 8)] >> (c % 8) & 1) != 0;
      ASSERT_EQ(kept, bits >= 3277U);
    }
  }
}

TEST(DropoutMask, ARowFollowsItsTokenWhateverRowsAreBesideIt) {
  const std::int64_t channels = 83;
  const std::int64_t bytes = dropout_mask_bytes(channels);
  const DropoutStream stream{4, 1, 2, 3};
  const std::vector<std::int64_t> samples = {3, 8, 5};
  std::vector<std::uint8_t> all(std::size_t(60 * bytes));
  mask_of(stream, 0.5, samples, {0, 10, 15, 60}, channels, all.data());
  // Nothing of the second sample; rows of the third out of order.
  const std::vector<std::int64_t> offsets = {0, 2, 2, 5};
  const std::vector<std::int64_t> tokens = {9, 0, 44, 7, 8};
  const std::vector<std::int64_t> wanted = {9, 0, 15 + 44, 15 + 7, 15 + 8};
  std::vector<std::uint8_t> chosen(std::size_t(5 * bytes));
  dropout_mask({}, stream, 0.5, {samples, offsets, tokens.data()}, channels, chosen.data());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto want = all.begin() + wanted[i] * bytes;
    EXPECT_TRUE(std::equal(want, want + bytes, chosen.begin() + std::int64_t(i) * bytes)) << i;
  }
}

TEST(DropoutMask, DropsTheRateAndDiffersBetweenStreams) {
  const std::int64_t channels = 1024;
  const auto draw = [&](DropoutStream stream, std::int64_t sample) {
    std::vector<std::uint8_t> mask(std::size_t(100 * dropout_mask_bytes(channels)));
    mask_of(stream, 0.05, {sample}, {0, 100}, channels, mask.data());
    return mask;
  };
  const auto base = draw({1, 2, 3, 4}, 5);
  std::int64_t dropped = 0;
  for (std::uint8_t byte : base) {
    dropped += 8 - __builtin_popcount(byte);
  }
  EXPECT_NEAR(double(dropped) / (100.0 * 1024.0), 0.05, 0.003);
  EXPECT_EQ(base, draw({1, 2, 3, 4}, 5));
  EXPECT_NE(base, draw({2, 2, 3, 4}, 5));
  EXPECT_NE(base, draw({1, 3, 3, 4}, 5));
  EXPECT_NE(base, draw({1, 2, 4, 4}, 5));
  EXPECT_NE(base, draw({1, 2, 3, 5}, 5));
  EXPECT_NE(base, draw({1, 2, 3, 4}, 6));
  EXPECT_THROW(draw({1, 2, 3, 16}, 6), Error);
}

}  // namespace
}  // namespace rallrec::kernels
