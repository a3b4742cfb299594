#include "kernels/outlier_rows.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "tests/support/device/test_device.h"
#include "tests/support/exact_sums.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::ExactSums;
using rallrec::testing::random_floats;
using Floats = std::vector<float>;

struct Shape {
  ProductShape product;
  std::int64_t capacity;
  std::int64_t busy;  // rows with outliers, of which every fifth has more than slots
};

struct HostSlots {
  std::vector<std::int32_t> counts, columns;
  Floats values;
};

// Ascending columns below `width`, a different number of them in each of the first rows.
HostSlots random_slots(const Shape& s, std::int64_t width) {
  HostSlots slots;
  slots.counts.resize(static_cast<std::size_t>(s.product.rows));
  slots.columns.resize(static_cast<std::size_t>(s.product.rows * s.capacity), -1);
  slots.values = random_floats(s.product.rows * s.capacity, 11, 30.0F);
  Rng rng(12);
  for (std::int64_t i = 0; i < std::min(s.busy, s.product.rows); ++i) {
    std::vector<std::int32_t> all(static_cast<std::size_t>(width));
    std::iota(all.begin(), all.end(), 0);
    const auto most = static_cast<std::size_t>(std::min(s.capacity, width));
    const std::size_t count = (static_cast<std::size_t>(i) * 7 + 1) % (most + 1);
    for (std::size_t n = 0; n < count; ++n) {
      std::swap(all[n], all[n + rng.next_below(all.size() - n)]);
    }
    std::sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count));
    std::copy_n(all.begin(), count, slots.columns.begin() + i * s.capacity);
    slots.counts[static_cast<std::size_t>(i)] =
        static_cast<std::int32_t>(i % 5 == 4 ? s.capacity + 1 : static_cast<std::int64_t>(count));
  }
  return slots;
}

std::vector<std::int8_t> random_weights(const ProductShape& s) {
  Rng rng(13);
  std::vector<std::int8_t> w(static_cast<std::size_t>(s.columns * s.depth));
  for (std::int8_t& value : w) {
    value = static_cast<std::int8_t>(static_cast<int>(rng.next_below(256)) - 128);
  }
  return w;
}

class OutlierRows : public testing::DeviceTest<Shape> {
 protected:
  // Of rows first … of `slots`, onto `onto`.
  Floats add(const ProductShape& s, const HostSlots& slots, std::int64_t first,
             const Floats& column_scale, const Floats& onto, bool turned, std::size_t shift = 0) {
    std::vector<std::int8_t> shifted(shift);
    const auto weights = random_weights(s);
    shifted.insert(shifted.end(), weights.begin(), weights.end());
    const auto w = on_device(shifted);
    const auto scale = on_device(column_scale);
    const auto counts = on_device(slots.counts);
    const auto columns = on_device(slots.columns);
    const auto values = on_device(slots.values);
    const auto y = on_device(onto);
    const std::int64_t capacity = shape().capacity;
    const OutlierSlots there{capacity, counts.get() + first, columns.get() + first * capacity,
                             values.get() + first * capacity};
    if (turned) {
      add_outlier_rows_transposed(queue(), s, there, w.get() + shift, y.get());
    } else {
      add_outlier_rows(queue(), s, there, w.get() + shift,
                       column_scale.empty() ? nullptr : scale.get(), y.get());
    }
    return y.host();
  }
};

ExactSums formula(const Shape& shape, const HostSlots& slots, const Floats& column_scale,
                  const Floats& onto, bool turned) {
  const ProductShape& s = shape.product;
  const std::int64_t width = turned ? s.depth : s.columns;
  const auto w = random_weights(s);
  ExactSums want(onto.size());
  for (std::int64_t at = 0; at < s.rows * width; ++at) {
    const std::int64_t i = at / width;
    const std::int64_t j = at % width;
    want.add(static_cast<std::size_t>(at), onto[static_cast<std::size_t>(at)]);
    const std::int64_t count = slots.counts[static_cast<std::size_t>(i)];
    for (std::int64_t n = 0; n < count && count <= shape.capacity; ++n) {
      const auto slot = static_cast<std::size_t>(i * shape.capacity + n);
      const std::int64_t column = slots.columns[slot];
      const double weight =
          w[static_cast<std::size_t>(turned ? column * s.depth + j : j * s.depth + column)];
      want.add(static_cast<std::size_t>(at),
               weight * slots.values[slot] *
                   (column_scale.empty() ? 1.0 : column_scale[static_cast<std::size_t>(j)]));
    }
  }
  return want;
}

TEST_P(OutlierRows, FollowTheFormula) {
  const ProductShape s = shape().product;
  const HostSlots slots = random_slots(shape(), s.depth);
  const Floats onto = random_floats(s.rows * s.columns, 14);
  for (const Floats& scale : {Floats{}, random_floats(s.columns, 15, 0.1F)}) {
    const Floats got = add(s, slots, 0, scale, onto, false);
    expect_near(got, formula(shape(), slots, scale, onto, false), "y");
    EXPECT_EQ(add(s, slots, 0, scale, onto, false, 1), got) << "not aligned";
  }
}

TEST_P(OutlierRows, TransposedFollowTheFormula) {
  const ProductShape s = shape().product;
  const HostSlots slots = random_slots(shape(), s.columns);
  const Floats onto = random_floats(s.rows * s.depth, 16);
  const Floats got = add(s, slots, 0, {}, onto, true);
  expect_near(got, formula(shape(), slots, {}, onto, true), "y");
  EXPECT_EQ(add(s, slots, 0, {}, onto, true, 1), got) << "not aligned";
}

// The last row that has outliers, alone.
TEST_P(OutlierRows, ARowsBitsDoNotDependOnTheRowsBesideIt) {
  const ProductShape s = shape().product;
  const std::int64_t row = std::min(shape().busy, s.rows) - 1;
  for (const bool turned : {false, true}) {
    const std::int64_t width = turned ? s.depth : s.columns;
    if (row < 0 || width == 0) {
      return;
    }
    const HostSlots slots = random_slots(shape(), turned ? s.columns : s.depth);
    const Floats onto = random_floats(s.rows * width, 17);
    const Floats whole = add(s, slots, 0, {}, onto, turned);
    const auto begin = static_cast<std::ptrdiff_t>(row * width);
    const auto end = begin + static_cast<std::ptrdiff_t>(width);
    const Floats of_row(onto.begin() + begin, onto.begin() + end);
    EXPECT_EQ(add({1, s.columns, s.depth}, slots, row, {}, of_row, turned),
              Floats(whole.begin() + begin, whole.begin() + end));
  }
}

// No rows, columns, slots or outliers; one of each; up to four busy rows (which read W where it
// lies) and more; sizes below and beyond 32 columns, 64 rows and 512 of the depth.
INSTANTIATE_TEST_SUITE_P(
    Shapes, OutlierRows,
    testing::on_every_device(Shape{{0, 5, 3}, 2, 0}, Shape{{4, 0, 3}, 0, 0}, Shape{{4, 3, 7}, 0, 4},
                             Shape{{4, 3, 7}, 2, 0}, Shape{{1, 1, 1}, 1, 1}, Shape{{3, 7, 5}, 4, 3},
                             Shape{{9, 33, 70}, 6, 9}, Shape{{70, 40, 516}, 20, 70},
                             Shape{{131, 65, 1031}, 30, 129}, Shape{{64, 32, 512}, 32, 64},
                             Shape{{130, 576, 1536}, 24, 130}),
    testing::device_and_number<OutlierRows::ParamType>);

TEST(OutlierRowsChecks, RefuseNegativeSizesAndNull) {
  std::int8_t w = 0;
  float y = 0.0F;
  EXPECT_THROW(add_outlier_rows({}, {-1, 1, 1}, {}, &w, nullptr, &y), Error);
  EXPECT_THROW(add_outlier_rows({}, {1, 1, 1}, {1, nullptr, nullptr, nullptr}, &w, nullptr, &y),
               Error);
  EXPECT_THROW(add_outlier_rows_transposed({}, {1, 1, 1}, {1}, &w, &y), Error);
}

}  // namespace
}  // namespace rallrec::kernels
