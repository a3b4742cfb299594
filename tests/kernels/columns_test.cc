#include "kernels/columns.h"

#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;
using Values = std::vector<float>;

class Columns : public testing::DeviceTest<ColumnsShape> {
 protected:
  std::int64_t to_count() const { return shape().rows * shape().to_stride; }
  Values from_ = random_floats(shape().rows * shape().from_stride, 1);
  Values to_ = random_floats(to_count(), 2);
};

// Element by element: what is not one of the columns stays.
TEST_P(Columns, AreCopied) {
  const ColumnsShape s = shape();
  const auto from = on_device(from_);
  const auto to = on_device(to_);
  copy_columns(queue(), s, from.get(), to.get());
  Values want = to_;
  for (std::int64_t i = 0; i < s.rows * s.columns; ++i) {
    want[static_cast<std::size_t>(i / s.columns * s.to_stride + i % s.columns)] =
        from_[static_cast<std::size_t>(i / s.columns * s.from_stride + i % s.columns)];
  }
  EXPECT_EQ(to.host(), want);
}

TEST_P(Columns, AreAddedTimesTheFactor) {
  const ColumnsShape s = shape();
  const auto from = on_device(from_);
  const auto to = on_device(to_);
  const testing::ThreadCountGuard threads(2);
  add_columns(queue(), s, -0.3F, from.get(), to.get());
  const Values got = to.host();
  for (std::int64_t i = 0; i < to_count(); ++i) {
    const std::int64_t c = i % s.to_stride;
    const double old = to_[static_cast<std::size_t>(i)];
    const auto at = static_cast<std::size_t>(i / s.to_stride * s.from_stride + c);
    const double want = c < s.columns ? old - double{0.3F} * from_[at] : old;
    ASSERT_NEAR(got[static_cast<std::size_t>(i)], want, c < s.columns ? 1e-6 : 0.0) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Columns,
    testing::on_every_device(ColumnsShape{0, 4, 4, 4}, ColumnsShape{3, 0, 2, 5},
                             ColumnsShape{1, 1, 1, 1}, ColumnsShape{5, 3, 7, 4},
                             ColumnsShape{70, 8, 12, 8}, ColumnsShape{9, 4, 6, 4},
                             ColumnsShape{600, 5, 5, 5}, ColumnsShape{1, 1001, 1001, 1001},
                             ColumnsShape{2, 1028, 1028, 1032}),
    testing::device_and_number<Columns::ParamType>);

TEST(ColumnsChecks, RefuseNullNegativeSizesAndShortStrides) {
  float v = 0.0F;
  EXPECT_THROW(copy_columns({}, {-1, 1, 1, 1}, &v, &v), Error);
  EXPECT_THROW(copy_columns({}, {1, 2, 1, 2}, &v, &v), Error);
  EXPECT_THROW(add_columns({}, {1, 2, 2, 1}, 1.0F, &v, &v), Error);
  EXPECT_THROW(add_columns({}, {1, 1, 1, 1}, 1.0F, nullptr, &v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
