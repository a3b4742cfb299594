#include "kernels/scaled_transpose.h"

#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using Values = std::vector<float>;

constexpr float kScale = -0.3F;

struct Shape {
  std::int64_t rows;
  std::int64_t columns;
};

// A product of two floats is exact in double.
float scaled(float value) { return static_cast<float>(double{kScale} * value); }

class ScaledTranspose : public testing::DeviceTest<Shape> {
 protected:
  const testing::ThreadCountGuard threads_{2};
};

TEST_P(ScaledTranspose, TurnsAndScales) {
  const auto [rows, columns] = shape();
  const Values host = testing::random_floats(rows * columns, 1);
  const auto x = on_device(host);
  const auto y = empty<float>(rows * columns);
  scaled_transpose(queue(), rows, columns, kScale, x.get(), y.get());
  Values want(host.size());
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    want[static_cast<std::size_t>(i % columns * rows + i / columns)] =
        scaled(host[static_cast<std::size_t>(i)]);
  }
  EXPECT_EQ(y.host(), want);
  EXPECT_EQ(x.host(), host);
}

// Behind an odd float nothing is aligned to 16 bytes; the values on both sides stay.
TEST_P(ScaledTranspose, ScalesInPlaceAndNothingBeside) {
  const auto [rows, columns] = shape();
  const std::int64_t count = rows * columns;
  for (const std::int64_t before : {4, 1}) {
    const Values host = testing::random_floats(before + count + 3, 2);
    const auto x = on_device(host);
    scale_values(queue(), count, kScale, x.get() + before);
    Values want = host;
    for (std::int64_t i = before; i < before + count; ++i) {
      want[static_cast<std::size_t>(i)] = scaled(host[static_cast<std::size_t>(i)]);
    }
    EXPECT_EQ(x.host(), want) << before;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ScaledTranspose,
                         testing::on_every_device(Shape{0, 4}, Shape{3, 0}, Shape{1, 1},
                                                  Shape{1, 70}, Shape{70, 1}, Shape{8, 576},
                                                  Shape{32, 64}, Shape{33, 31}, Shape{100, 67}),
                         testing::device_and_number<ScaledTranspose::ParamType>);

TEST(ScaledTransposeChecks, RefuseNullAndNegativeSizes) {
  float v = 0.0F;
  EXPECT_THROW(scaled_transpose({}, -1, 1, 1.0F, &v, &v), Error);
  EXPECT_THROW(scaled_transpose({}, 1, 1, 1.0F, nullptr, &v), Error);
  EXPECT_THROW(scale_values({}, -1, 1.0F, &v), Error);
  EXPECT_THROW(scale_values({}, 1, 1.0F, nullptr), Error);
}

}  // namespace
}  // namespace rallrec::kernels
