#include "kernels/chosen_rows.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/rng.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using Values = std::vector<float>;
using Rows = std::vector<std::int64_t>;

struct Shape {
  std::int64_t table;
  std::int64_t columns;
  std::int64_t count;
};

class ChosenRows : public testing::DeviceTest<Shape> {
 protected:
  // Half of them one row, so that its run is longer than what is loaded ahead and than a thread's
  // range.
  Rows chosen() const {
    Rng rng(41);
    Rows rows;
    for (std::int64_t i = 0; i < shape().count; ++i) {
      const bool popular = rng.next_below(2) == 0;
      rows.push_back(popular ? shape().table / 3
                             : static_cast<std::int64_t>(rng.next_below(shape().table)));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  Values added(const Queue& queue, std::int64_t columns, const Rows& rows, const Values& y,
               const Values& x) {
    const auto rows_there = on_device(rows);
    const auto y_there = on_device(y);
    const auto x_there = on_device(x);
    add_to_chosen_rows(queue, static_cast<std::int64_t>(rows.size()), columns, rows_there.get(),
                       y_there.get(), x_there.get());
    return x_there.host();
  }
};

TEST_P(ChosenRows, AreAddedTo) {
  const auto [table, columns, count] = shape();
  const Rows rows = chosen();
  const Values y = testing::random_floats(count * columns, 1);
  const Values x = testing::random_floats(table * columns, 2);
  const testing::ThreadCountGuard threads(3);
  const Values got = added(queue(), columns, rows, y, x);
  for (std::int64_t at = 0; at < table * columns; ++at) {
    double want = x[static_cast<std::size_t>(at)];
    double magnitude = 0.0;
    for (std::int64_t i = 0; i < count; ++i) {
      if (rows[static_cast<std::size_t>(i)] == at / columns) {
        const double more = y[static_cast<std::size_t>(i * columns + at % columns)];
        want += more;
        magnitude += std::fabs(want) + std::fabs(more);
      }
    }
    ASSERT_NEAR(got[static_cast<std::size_t>(at)], want, 1e-7 * magnitude) << at;
  }
}

// Every other row, last first; the rows between stay as they are.
TEST_P(ChosenRows, AreOverwritten) {
  const auto [table, columns, count] = shape();
  Rows rows;
  for (std::int64_t row = 0; row < table; row += 2) {
    rows.insert(rows.begin(), row);
  }
  const auto chosen = static_cast<std::int64_t>(rows.size());
  const Values y = testing::random_floats(chosen * columns, 5);
  Values want = testing::random_floats(table * columns, 6);
  const auto rows_there = on_device(rows);
  const auto y_there = on_device(y);
  const auto x_there = on_device(want);
  copy_to_chosen_rows(queue(), chosen, columns, rows_there.get(), y_there.get(), x_there.get());
  for (std::int64_t i = 0; i < chosen; ++i) {
    std::copy_n(y.begin() + i * columns, columns,
                want.begin() + rows[static_cast<std::size_t>(i)] * columns);
  }
  EXPECT_EQ(x_there.host(), want);
}

TEST_P(ChosenRows, HaveTheBitsOfTheCpu) {
  const auto [table, columns, count] = shape();
  const Rows rows = chosen();
  const Values y = testing::random_floats(count * columns, 3);
  const Values x = testing::random_floats(table * columns, 4);
  Values want = x;
  add_to_chosen_rows({}, count, columns, rows.data(), y.data(), want.data());
  const testing::ThreadCountGuard threads(3);
  EXPECT_EQ(added(queue(), columns, rows, y, x), want);
}

// 1e8 swallows the first 1 and is gone before the second comes.
TEST_P(ChosenRows, AddRepeatsInOrderToTheRowsOwnValue) {
  const Rows rows = {1, 1, 1, 2};
  for (const std::int64_t columns : {1, 4}) {
    const auto filled = [&](const Values& of_rows) {
      Values values;
      for (const float value : of_rows) {
        values.insert(values.end(), static_cast<std::size_t>(columns), value);
      }
      return values;
    };
    EXPECT_EQ(added(queue(), columns, rows, filled({1.0F, -1e8F, 1.0F, 0.5F}),
                    filled({3.0F, 1e8F, 2.0F})),
              filled({3.0F, 1.0F, 2.5F}));
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ChosenRows,
                         testing::on_every_device(Shape{2, 3, 0}, Shape{2, 0, 3}, Shape{1, 1, 1},
                                                  Shape{5, 3, 7}, Shape{9, 64, 33},
                                                  Shape{40, 577, 20}, Shape{30, 576, 40},
                                                  Shape{50, 129, 300}, Shape{600, 4, 300}),
                         testing::device_and_number<ChosenRows::ParamType>);

TEST(ChosenRowsChecks, RefuseNullNegativeSizesAndRowsThatDoNotAscend) {
  float v[2] = {};
  const std::int64_t down[2] = {1, 0};
  const std::int64_t below[1] = {-1};
  EXPECT_THROW(add_to_chosen_rows({}, -1, 1, down, v, v), Error);
  EXPECT_THROW(add_to_chosen_rows({}, 1, 1, nullptr, v, v), Error);
  EXPECT_THROW(add_to_chosen_rows({}, 2, 1, down, v, v), Error);
  EXPECT_THROW(add_to_chosen_rows({}, 1, 1, below, v, v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
