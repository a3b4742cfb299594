#include "kernels/int8_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "tests/support/bfloat16.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

struct Shape {
  std::int64_t rows;
  std::int64_t columns;
};

class Int8Rows : public testing::DeviceTest<Shape> {
 protected:
  struct Quantized {
    std::vector<std::int8_t> q;
    std::vector<float> scale;
    std::vector<std::int32_t> counts, columns;
    std::vector<float> values;
  };

  Quantized quantize(const Shape& shape, const std::vector<float>& host_x,
                     const std::vector<float>& host_factor, const OutlierRule* rule,
                     std::int64_t capacity) {
    const auto [rows, depth] = shape;
    const auto x = on_device(host_x);
    const auto factor = on_device(host_factor);
    const auto q = empty<std::int8_t>(rows * depth);
    const auto scale = empty<float>(rows);
    const auto counts = empty<std::int32_t>(rows);
    const auto columns = empty<std::int32_t>(rows * capacity);
    const auto values = empty<float>(rows * capacity);
    int8_quantize(queue(), rows, depth,
                  {x.get(), host_factor.empty() ? nullptr : factor.get(), rule}, q.get(),
                  scale.get(), {capacity, counts.get(), columns.get(), values.get()});
    return {q.host(), scale.host(), counts.host(), columns.host(), values.host()};
  }
};

// Some values of each row are far larger than the others.
std::vector<float> with_large_values(const Shape& shape) {
  auto x = testing::random_floats(shape.rows * shape.columns, 21);
  Rng rng(22);
  for (std::int64_t i = 0; i < shape.rows && shape.columns > 40; ++i) {
    for (int n = 0; n < 3; ++n) {
      x[static_cast<std::size_t>(i * shape.columns) + rng.next_below(shape.columns)] *= 40.0F;
    }
  }
  return x;
}

// The set of the rule by trying every size: the values sorted by magnitude, the smallest ones kept.
std::size_t kept_by_rule(const OutlierRule& rule, std::vector<double> magnitudes) {
  std::sort(magnitudes.begin(), magnitudes.end());
  if (rule.kind == OutlierRule::Kind::kMagnitude) {
    return static_cast<std::size_t>(
        std::lower_bound(magnitudes.begin(), magnitudes.end(), double(rule.limit)) -
        magnitudes.begin());
  }
  double squares = 0.0;
  std::size_t kept = 0;
  for (std::size_t n = 1; n <= magnitudes.size(); ++n) {
    squares += magnitudes[n - 1] * magnitudes[n - 1];
    const double limit = rule.limit * std::sqrt(squares / double(magnitudes.size()));
    if (magnitudes[n - 1] < limit) {
      kept = n;
    }
  }
  return kept;
}

TEST_P(Int8Rows, QuantisesWithAndWithoutOutliers) {
  const auto [rows, depth] = shape();
  const auto x = with_large_values(shape());
  auto factor = testing::random_floats(depth, 23);
  for (float& value : factor) {
    value = 1.0F + 0.1F * value;
  }
  const OutlierRule by_magnitude{OutlierRule::Kind::kMagnitude, 6.0F};
  const OutlierRule by_rms{OutlierRule::Kind::kTimesRms, 6.0F};
  for (const OutlierRule* rule :
       {static_cast<const OutlierRule*>(nullptr), &by_magnitude, &by_rms}) {
    const Quantized got = quantize(shape(), x, factor, rule, depth);
    for (std::int64_t i = 0; i < rows; ++i) {
      std::vector<float> row;
      std::vector<double> magnitudes;
      for (std::int64_t k = 0; k < depth; ++k) {
        row.push_back(x[static_cast<std::size_t>(i * depth + k)] *
                      factor[static_cast<std::size_t>(k)]);
        magnitudes.push_back(std::fabs(double(row.back())));
      }
      std::size_t kept = magnitudes.size();
      auto sorted = magnitudes;
      std::sort(sorted.begin(), sorted.end());
      if (rule != nullptr) {
        kept = kept_by_rule(*rule, magnitudes);
        ASSERT_EQ(got.counts[static_cast<std::size_t>(i)], depth - std::int64_t(kept)) << i;
      }
      const double largest = kept == 0 ? 0.0 : sorted[kept - 1];
      ASSERT_NEAR(got.scale[static_cast<std::size_t>(i)], largest / 127.0, 1e-6 * largest);
      std::int64_t slot = i * depth;
      for (std::int64_t k = 0; k < depth; ++k) {
        const double v = row[static_cast<std::size_t>(k)];
        const int q = got.q[static_cast<std::size_t>(i * depth + k)];
        if (std::fabs(v) > largest) {
          ASSERT_EQ(q, 0);
          ASSERT_EQ(got.columns[static_cast<std::size_t>(slot)], k);
          ASSERT_EQ(got.values[static_cast<std::size_t>(slot)], row[static_cast<std::size_t>(k)]);
          ++slot;
        } else if (largest > 0.0) {
          ASSERT_LE(std::fabs(q - v * 127.0 / largest), 0.5001) << i << " " << k;
        }
      }
    }
  }
}

TEST_P(Int8Rows, ZerosNanAndTooManyOutliers) {
  const std::int64_t rows = 3;
  const std::int64_t depth = shape().columns + 4;
  std::vector<float> x(static_cast<std::size_t>(rows * depth), 0.5F);
  std::fill_n(x.begin(), depth, 0.0F);
  x[static_cast<std::size_t>(depth) + 1] = std::numeric_limits<float>::infinity();
  x[static_cast<std::size_t>(2 * depth) + 2] = 9.0F;
  x[static_cast<std::size_t>(2 * depth) + 4] = -8.0F;
  const OutlierRule rule{OutlierRule::Kind::kMagnitude, 6.0F};
  const Quantized got = quantize({rows, depth}, x, {}, &rule, 1);
  EXPECT_EQ(got.scale[0], 0.0F);
  EXPECT_EQ(got.q[0], 0);
  EXPECT_TRUE(std::isnan(got.scale[1]));
  EXPECT_EQ(got.counts[1], 0);
  EXPECT_TRUE(std::isnan(got.scale[2]));
  EXPECT_EQ(got.counts[2], 2);
  EXPECT_EQ(got.columns[2], 2);
  EXPECT_EQ(got.values[2], 9.0F);
}

// 127 / largest is infinite, the values are within the range all the same.
TEST_P(Int8Rows, VerySmallRowsStayWithinTheRange) {
  const std::int64_t depth = shape().columns + 1;
  std::vector<float> x(static_cast<std::size_t>(depth), 0.0F);
  x.back() = -1e-38F;
  const Quantized got = quantize({1, depth}, x, {}, nullptr, 1);
  EXPECT_EQ(got.q.back(), static_cast<std::int8_t>(std::lround(-1e-38F * 3.402823466e+38F)));
  EXPECT_EQ(got.q.front(), depth == 1 ? got.q.back() : 0);
}

TEST_P(Int8Rows, EpilogueFollowsTheFormula) {
  const auto [rows, columns] = shape();
  Rng rng(31);
  std::vector<std::int32_t> host_sums;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    host_sums.push_back(static_cast<std::int32_t>(rng.next_below(2000000)) - 1000000);
  }
  for (const std::int64_t rank : {0, 1, 8}) {
    const bool more = rank > 0;
    const auto host_row = testing::random_floats(rows, 32, 1e-3F);
    const auto host_column = testing::random_floats(columns, 33, 1e-2F);
    const auto host_bias = testing::random_floats(columns, 34);
    const auto host_u = testing::random_floats(rows * rank, 35);
    const auto host_b = testing::random_floats(columns * rank, 36);
    const auto host_y = testing::random_floats(rows * columns, 37);
    const auto sums = on_device(host_sums);
    const auto row = on_device(host_row);
    const auto column = on_device(host_column);
    const auto bias = on_device(host_bias);
    const auto u = on_device(host_u);
    const auto b = on_device(host_b);
    const auto y = on_device(host_y);
    int8_epilogue(queue(), rows, columns, sums.get(),
                  {row.get(), more ? column.get() : nullptr, more ? bias.get() : nullptr, rank,
                   u.get(), b.get(), more},
                  y.get());
    const auto got = y.host();
    for (std::int64_t at = 0; at < rows * columns; ++at) {
      const auto i = static_cast<std::size_t>(at / columns);
      const auto j = static_cast<std::size_t>(at % columns);
      double want = double(host_row[i]) * host_sums[static_cast<std::size_t>(at)];
      if (more) {
        want = want * host_column[j] + host_bias[j] + host_y[static_cast<std::size_t>(at)];
      }
      for (std::int64_t r = 0; r < rank; ++r) {
        want += double(host_u[i * static_cast<std::size_t>(rank) + static_cast<std::size_t>(r)]) *
                host_b[j * static_cast<std::size_t>(rank) + static_cast<std::size_t>(r)];
      }
      ASSERT_NEAR(got[static_cast<std::size_t>(at)], want, 4e-6 * (4.0 + std::fabs(want)))
          << rank << " " << at;
    }
  }
}

// Each value is the bf16 nearest to the product, of two as near the one whose last bit is 0.
TEST_P(Int8Rows, DequantisedRowsAreTheNearestBfloat16) {
  const auto [rows, depth] = shape();
  Rng rng(41);
  std::vector<std::int8_t> host_q;
  for (std::int64_t i = 0; i < rows * depth; ++i) {
    host_q.push_back(static_cast<std::int8_t>(static_cast<int>(rng.next_below(255)) - 127));
  }
  const auto host_scale = testing::random_floats(rows, 42, 1e-2F);
  const auto q = on_device(host_q);
  const auto scale = on_device(host_scale);
  const auto y = empty<std::uint16_t>(rows * depth);
  dequantize_rows(queue(), rows, depth, q.get(), scale.get(), y.get());
  const auto got = y.host();
  for (std::int64_t at = 0; at < rows * depth; ++at) {
    const float want = static_cast<float>(host_q[static_cast<std::size_t>(at)]) *
                       host_scale[static_cast<std::size_t>(at / depth)];
    const std::uint16_t bits = got[static_cast<std::size_t>(at)];
    const double distance = std::fabs(double(testing::widened({bits})[0]) - want);
    const auto below = static_cast<std::uint16_t>(bits - 1);
    const auto above = static_cast<std::uint16_t>(bits + 1);
    for (const std::uint16_t other : {below, above}) {
      const double to_other = std::fabs(double(testing::widened({other})[0]) - want);
      ASSERT_TRUE(want == 0.0F || distance < to_other || (distance == to_other && bits % 2 == 0))
          << at;
    }
  }
}

TEST(Int8EpilogueChecks, RefusesARankThatDoesNotFit) {
  EXPECT_THROW(int8_epilogue({}, 1, 1, nullptr, {nullptr, nullptr, nullptr, 65}, nullptr), Error);
}

INSTANTIATE_TEST_SUITE_P(Shapes, Int8Rows,
                         testing::on_every_device(Shape{0, 4}, Shape{1, 1}, Shape{3, 7},
                                                  Shape{35, 129}, Shape{33, 256}, Shape{7, 576},
                                                  Shape{4, 1531}, Shape{3, 4096}),
                         testing::device_and_number<Int8Rows::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
