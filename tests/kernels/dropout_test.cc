#include "kernels/dropout.h"

#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "tests/support/device/test_device.h"
#include "tests/support/thread_count_guard.h"

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

using Bytes = std::vector<std::uint8_t>;
using Numbers = std::vector<std::int64_t>;

// Rows 0, 1 and enough for several threads and blocks; columns below, at and beyond a vector.
struct Shape {
  std::int64_t rows;
  std::int64_t columns;
};

template <typename Parameter>
class Dropout : public rallrec::testing::DeviceTest<Parameter> {
 protected:
  // Of the named tokens of samples.
  Bytes mask_of(const DropoutStream& stream, double rate, const Numbers& samples,
                const Numbers& offsets, const Numbers& host_tokens, std::int64_t channels) {
    const auto tokens = this->on_device(host_tokens);
    const auto mask = this->on_device(
        Bytes(host_tokens.size() * static_cast<std::size_t>(dropout_mask_bytes(channels)), 0x55));
    dropout_mask(this->queue(), stream, rate, {samples, offsets, tokens.get()}, channels,
                 mask.get());
    return mask.host();
  }
  // Of all tokens.
  Bytes mask_of(const DropoutStream& stream, double rate, const Numbers& samples,
                const Numbers& offsets, std::int64_t channels) {
    Numbers tokens;
    for (std::size_t s = 0; s < samples.size(); ++s) {
      for (std::int64_t t = 0; t < offsets[s + 1] - offsets[s]; ++t) {
        tokens.push_back(t);
      }
    }
    return mask_of(stream, rate, samples, offsets, tokens, channels);
  }

 private:
  rallrec::testing::ThreadCountGuard threads_{2};
};

class RowShapes : public Dropout<Shape> {};

TEST_P(RowShapes, DropoutFollowsItsMask) {
  const auto [rows, n] = shape();
  const std::int64_t bytes = dropout_mask_bytes(n);
  const Bytes bits = mask_of({1, 2, 3, 4}, 0.3, {17}, {0, rows}, n);
  const auto host_x = random_values(rows * n, 8);
  const auto mask = on_device(bits);
  const auto x = on_device(host_x);
  const auto y = empty<float>(rows * n);
  const auto sum = on_device(std::vector<float>(host_x.size(), 1.0F));
  dropout_apply(queue(), 0.3, rows, n, mask.get(), x.get(), false, y.get());
  dropout_apply(queue(), 0.3, rows, n, mask.get(), x.get(), true, sum.get());
  dropout_apply(queue(), 0.3, rows, n, mask.get(), x.get(), false, x.get());
  const auto got = y.host();
  const auto added = sum.host();
  EXPECT_EQ(x.host(), got);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t c = 0; c < n; ++c) {
      const auto at = std::size_t(i * n + c);
      const bool kept = (bits[std::size_t(i * bytes + c / 8)] >> (c % 8) & 1) != 0;
      ASSERT_NEAR(got[at], kept ? host_x[at] / 0.7 : 0.0, 1e-5);
      ASSERT_EQ(added[at], 1.0F + got[at]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, RowShapes,
                         rallrec::testing::on_every_device(Shape{0, 5}, Shape{1, 1}, Shape{3, 7},
                                                           Shape{5, 12}, Shape{40, 64},
                                                           Shape{65, 577}, Shape{2, 5000}),
                         rallrec::testing::device_and_number<RowShapes::ParamType>);

class DropoutMask : public Dropout<int> {};

TEST_P(DropoutMask, IsPhiloxOfItsKeyWhateverThePacking) {
  const std::int64_t channels = 83;
  const std::int64_t bytes = dropout_mask_bytes(channels);
  const std::int64_t big_sample = (std::int64_t{5} << 32) + 9;
  const Bytes mask = mask_of({77, 6, 12, 4}, 0.05, {3, big_sample}, {0, 10, 30}, channels);
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

TEST_P(DropoutMask, ARowFollowsItsTokenWhateverRowsAreBesideIt) {
  const std::int64_t channels = 83;
  const std::int64_t bytes = dropout_mask_bytes(channels);
  const DropoutStream stream{4, 1, 2, 3};
  const Bytes all = mask_of(stream, 0.5, {3, 8, 5}, {0, 10, 15, 60}, channels);
  // Nothing of the second sample; rows of the third out of order.
  const Numbers tokens = {9, 0, 44, 7, 8};
  const Numbers wanted = {9, 0, 15 + 44, 15 + 7, 15 + 8};
  const Bytes chosen = mask_of(stream, 0.5, {3, 8, 5}, {0, 2, 2, 5}, tokens, channels);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto want = all.begin() + wanted[i] * bytes;
    EXPECT_TRUE(std::equal(want, want + bytes, chosen.begin() + std::int64_t(i) * bytes)) << i;
  }
}

// More sequences than a launch on a GPU takes, some of them empty.
TEST_P(DropoutMask, ManySequencesAreTheirOwnMasks) {
  const std::int64_t channels = 20;
  const DropoutStream stream{4, 1, 2, 3};
  Numbers samples;
  Numbers offsets = {0};
  Bytes want;
  for (std::int64_t s = 0; s < 200; ++s) {
    samples.push_back(1000 - s);
    offsets.push_back(offsets.back() + s % 4);
    const Bytes alone = mask_of(stream, 0.4, {1000 - s}, {0, s % 4}, channels);
    want.insert(want.end(), alone.begin(), alone.end());
  }
  EXPECT_EQ(mask_of(stream, 0.4, samples, offsets, channels), want);
}

TEST_P(DropoutMask, DropsTheRateAndDiffersBetweenStreams) {
  const std::int64_t channels = 1024;
  const auto draw = [&](DropoutStream stream, std::int64_t sample) {
    return mask_of(stream, 0.05, {sample}, {0, 100}, channels);
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

INSTANTIATE_TEST_SUITE_P(Devices, DropoutMask, rallrec::testing::on_every_device(0),
                         rallrec::testing::device_and_number<DropoutMask::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
