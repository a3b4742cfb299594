#include "kernels/row_product.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "tests/support/bfloat16.h"
#include "tests/support/device/test_device.h"
#include "tests/support/exact_sums.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::ExactSums;
using rallrec::testing::random_bfloat16;
using rallrec::testing::random_floats;
using rallrec::testing::ThreadCountGuard;
using Bytes = std::vector<std::int8_t>;
using Floats = std::vector<float>;
using Halves = std::vector<std::uint16_t>;
using Integers = std::vector<std::int32_t>;

// All of [-128, 127].
Bytes random_bytes(std::int64_t count, std::uint64_t seed) {
  Rng rng(seed);
  Bytes values(static_cast<std::size_t>(count));
  for (std::int8_t& value : values) {
    value = static_cast<std::int8_t>(static_cast<int>(rng.next_below(256)) - 128);
  }
  return values;
}

// The nearest number with 8 significant bits.
double to_bfloat16(float value) {
  int exponent = 0;
  const double mantissa = std::frexp(double{value}, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(mantissa, 8)), exponent - 8);
}

// Calls add(i, j, k): a value of row i times W[j, k].
template <typename Add>
void for_each_term(const ProductShape& s, const Add& add) {
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < s.columns; ++j) {
      for (std::int64_t k = 0; k < s.depth; ++k) {
        add(static_cast<std::size_t>(i), static_cast<std::size_t>(j), static_cast<std::size_t>(k));
      }
    }
  }
}

class RowProduct : public testing::DeviceTest<ProductShape> {
 protected:
  // `shift` moves the operands away from the alignment that memory comes with.
  Integers int8_sums(const ProductShape& s, const Bytes& host_a, const Bytes& host_w, bool turned,
                     std::size_t shift = 0) {
    Bytes shifted_a(shift), shifted_w(shift);
    shifted_a.insert(shifted_a.end(), host_a.begin(), host_a.end());
    shifted_w.insert(shifted_w.end(), host_w.begin(), host_w.end());
    const auto a = on_device(shifted_a);
    const auto w = on_device(shifted_w);
    // What is not written stays 7.
    const std::int64_t width = turned ? s.depth : s.columns;
    const auto sums = on_device(Integers(static_cast<std::size_t>(s.rows * width) + shift, 7));
    const auto product = turned ? &int8_product_transposed : &int8_product;
    product(queue(), s, a.get() + shift, w.get() + shift, sums.get() + shift);
    const Integers all = sums.host();
    return {all.begin() + static_cast<std::ptrdiff_t>(shift), all.end()};
  }

  Floats bfloat16_sums(const ProductShape& s, const Floats& host_x, const Halves& host_w,
                       bool turned, const Floats* onto = nullptr, std::size_t shift = 0) {
    Halves shifted_w(shift);
    shifted_w.insert(shifted_w.end(), host_w.begin(), host_w.end());
    const auto x = on_device(host_x);
    const auto w = on_device(shifted_w);
    const std::int64_t width = turned ? s.depth : s.columns;
    const Floats before(static_cast<std::size_t>(s.rows * width), 7.0F);
    const auto y = on_device(onto == nullptr ? before : *onto);
    const auto product = turned ? &bfloat16_product_transposed : &bfloat16_product;
    product(queue(), s, x.get(), w.get() + shift, onto != nullptr, y.get());
    return y.host();
  }
};

Integers exact_sums(const ProductShape& s, const Bytes& a, const Bytes& w, bool turned) {
  const auto left = static_cast<std::size_t>(turned ? s.columns : s.depth);
  const auto width = static_cast<std::size_t>(turned ? s.depth : s.columns);
  std::vector<double> sums(static_cast<std::size_t>(s.rows) * width);
  for_each_term(s, [&](std::size_t i, std::size_t j, std::size_t k) {
    sums[i * width + (turned ? k : j)] +=
        double{1} * a[i * left + (turned ? j : k)] * w[j * static_cast<std::size_t>(s.depth) + k];
  });
  return {sums.begin(), sums.end()};
}

ExactSums bfloat16_formula(const ProductShape& s, const Floats& x, const Halves& w, bool turned) {
  const auto left = static_cast<std::size_t>(turned ? s.columns : s.depth);
  const auto width = static_cast<std::size_t>(turned ? s.depth : s.columns);
  const Floats wide = testing::widened(w);
  std::vector<double> rounded(x.size());
  std::transform(x.begin(), x.end(), rounded.begin(), &to_bfloat16);
  ExactSums sums(static_cast<std::size_t>(s.rows) * width);
  for_each_term(s, [&](std::size_t i, std::size_t j, std::size_t k) {
    sums.add(i * width + (turned ? k : j), rounded[i * left + (turned ? j : k)] *
                                               wide[j * static_cast<std::size_t>(s.depth) + k]);
  });
  return sums;
}

TEST_P(RowProduct, Int8IsExact) {
  const ProductShape s = shape();
  const Bytes w = random_bytes(s.columns * s.depth, 1);
  for (const bool turned : {false, true}) {
    const Bytes a = random_bytes(s.rows * (turned ? s.columns : s.depth), 2);
    const Integers want = exact_sums(s, a, w, turned);
    EXPECT_EQ(int8_sums(s, a, w, turned), want) << turned;
    EXPECT_EQ(int8_sums(s, a, w, turned, 1), want) << turned;
  }
}

TEST_P(RowProduct, Bfloat16FollowsTheFormula) {
  const ProductShape s = shape();
  const Halves w = random_bfloat16(s.columns * s.depth, 3);
  for (const bool turned : {false, true}) {
    const Floats x = random_floats(s.rows * (turned ? s.columns : s.depth), 4);
    const Floats onto = random_floats(s.rows * (turned ? s.depth : s.columns), 5);
    ExactSums want = bfloat16_formula(s, x, w, turned);
    const Floats got = bfloat16_sums(s, x, w, turned);
    expect_near(got, want, turned ? "turned" : "straight");
    EXPECT_EQ(bfloat16_sums(s, x, w, turned, nullptr, 1), got) << "not aligned";
    for (std::size_t i = 0; i < onto.size(); ++i) {
      want.add(i, onto[i]);
    }
    expect_near(bfloat16_sums(s, x, w, turned, &onto), want, "accumulated");
  }
}

// A row alone, and behind one that is all NaN: another tile, another place in it.
TEST_P(RowProduct, ARowsBitsDoNotDependOnTheRowsBesideIt) {
  const ProductShape s = shape();
  if (s.rows == 0) {
    return;
  }
  const Halves w = random_bfloat16(s.columns * s.depth, 6);
  for (const bool turned : {false, true}) {
    const std::int64_t left = turned ? s.columns : s.depth;
    const std::int64_t width = turned ? s.depth : s.columns;
    const Floats x = random_floats(s.rows * left, 7);
    const Floats whole = bfloat16_sums(s, x, w, turned);
    const Floats last(x.end() - left, x.end());
    Floats behind(static_cast<std::size_t>(left), std::numeric_limits<float>::quiet_NaN());
    behind.insert(behind.end(), last.begin(), last.end());
    const Floats want(whole.end() - width, whole.end());
    EXPECT_EQ(bfloat16_sums({1, s.columns, s.depth}, last, w, turned), want);
    const Floats two = bfloat16_sums({2, s.columns, s.depth}, behind, w, turned);
    EXPECT_EQ(Floats(two.end() - width, two.end()), want);
    EXPECT_TRUE(width == 0 || left == 0 || std::isnan(two[0]));
  }
}

// No rows, columns or depth; one of each; sizes below, at and beyond a step of 32 or 64 terms and a
// tile of 64; rows that start at multiples of 16 bytes and others.
INSTANTIATE_TEST_SUITE_P(
    Shapes, RowProduct,
    testing::on_every_device(ProductShape{0, 5, 3}, ProductShape{4, 0, 3}, ProductShape{4, 3, 0},
                             ProductShape{1, 1, 1}, ProductShape{2, 7, 5}, ProductShape{3, 16, 16},
                             ProductShape{64, 64, 64}, ProductShape{65, 70, 33},
                             ProductShape{66, 80, 144}, ProductShape{131, 48, 272},
                             ProductShape{7, 33, 201}, ProductShape{1, 208, 400}),
    testing::device_and_number<RowProduct::ParamType>);

// What makes 128 tiles of 128: with rows in all places of a tile, and with several steps.
class RowProductLarge : public RowProduct {};

TEST_P(RowProductLarge, FollowsTheFormula) {
  const ProductShape s = shape();
  const bool turned = s.depth > s.columns;
  const std::int64_t terms = turned ? s.columns : s.depth;
  const auto width = static_cast<std::size_t>(turned ? s.depth : s.columns);
  const Bytes a = random_bytes(s.rows * terms, 21);
  const Bytes w = random_bytes(s.columns * s.depth, 22);
  EXPECT_EQ(int8_sums(s, a, w, turned), exact_sums(s, a, w, turned));
  const Floats x = random_floats(s.rows * terms, 23);
  const Halves halves = random_bfloat16(s.columns * s.depth, 24);
  const Floats got = bfloat16_sums(s, x, halves, turned);
  expect_near(got, bfloat16_formula(s, x, halves, turned), "bf16");
  // The last row in small tiles.
  EXPECT_EQ(
      bfloat16_sums({1, s.columns, s.depth}, Floats(x.end() - terms, x.end()), halves, turned),
      Floats(got.end() - static_cast<std::ptrdiff_t>(width), got.end()));
}

INSTANTIATE_TEST_SUITE_P(Shapes, RowProductLarge,
                         testing::on_every_device(ProductShape{130, 8208, 16},
                                                  ProductShape{130, 16, 8208},
                                                  ProductShape{3, 16400, 112},
                                                  ProductShape{3, 112, 16400}),
                         testing::device_and_number<RowProductLarge::ParamType>);

class RowProductEnds : public testing::DeviceTest<bool> {};

// As many products of -128 · -128 as the contract allows, and no more.
TEST_P(RowProductEnds, TheLargestSumsFitAndLongerOnesAreRefused) {
  const bool turned = shape();
  const auto product = turned ? &int8_product_transposed : &int8_product;
  const auto terms = [&](std::int64_t count) {
    return turned ? ProductShape{1, count, 1} : ProductShape{1, 1, count};
  };
  const auto lowest = on_device(Bytes(static_cast<std::size_t>(kMostInt8Terms), -128));
  const auto sum = on_device(Integers(1));
  product(queue(), terms(kMostInt8Terms), lowest.get(), lowest.get(), sum.get());
  EXPECT_EQ(sum.host()[0], 16384 * kMostInt8Terms);
  EXPECT_THROW(product(queue(), terms(kMostInt8Terms + 1), lowest.get(), lowest.get(), sum.get()),
               Error);
}

INSTANTIATE_TEST_SUITE_P(Forms, RowProductEnds, testing::on_every_device(false, true),
                         testing::device_and_number<RowProductEnds::ParamType>);

TEST(RowProductBits, DoNotDependOnThreads) {
  const ProductShape s{37, 41, 53};
  const Halves w = random_bfloat16(s.columns * s.depth, 8);
  const Floats x = random_floats(s.rows * s.depth, 9);
  const auto run = [&](int count) {
    ThreadCountGuard threads(count);
    Floats y(static_cast<std::size_t>(s.rows * s.columns));
    bfloat16_product({}, s, x.data(), w.data(), false, y.data());
    return y;
  };
  EXPECT_EQ(run(1), run(3));
}

TEST(RowProductChecks, RefuseNegativeSizesAndNull) {
  std::int8_t a = 0;
  std::int32_t sum = 0;
  EXPECT_THROW(int8_product({}, {-1, 1, 1}, &a, &a, &sum), Error);
  EXPECT_THROW(int8_product({}, {1, 1, 1}, nullptr, &a, &sum), Error);
  EXPECT_THROW(int8_product_transposed({}, {1, 1, 1}, &a, &a, nullptr), Error);
}

}  // namespace
}  // namespace rallrec::kernels
