#include "kernels/add_rows.h"

#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using Values = std::vector<float>;

class AddRows : public testing::DeviceTest<std::int64_t> {
 protected:
  static constexpr std::int64_t kRows = 6;

  // Rows 0..5 after the additions, which use the results of those before them.
  Values added(const std::vector<RowAddition>& additions) {
    const auto values = on_device(testing::random_floats(kRows * shape(), 1));
    const auto list = on_device(additions);
    add_rows(queue(), list.get(), static_cast<std::int64_t>(additions.size()), shape(),
             values.get());
    return values.host();
  }
};

TEST_P(AddRows, CarriesThemOutInTheirOrder) {
  const std::vector<RowAddition> additions = {{2, 3}, {0, 1}, {0, 2}, {4, 5}, {3, 4}, {0, 5}};
  Values want = testing::random_floats(kRows * shape(), 1);
  for (const RowAddition& addition : additions) {
    for (std::int64_t i = 0; i < shape(); ++i) {
      want[addition.into * shape() + i] += want[addition.from * shape() + i];
    }
  }
  EXPECT_EQ(added(additions), want);
  testing::ThreadCountGuard threads(3);
  EXPECT_EQ(added(additions), want);
}

TEST_P(AddRows, WithoutAdditionsNothingChanges) {
  EXPECT_EQ(added({}), testing::random_floats(kRows * shape(), 1));
}

INSTANTIATE_TEST_SUITE_P(Widths, AddRows,
                         testing::on_every_device(std::int64_t{0}, std::int64_t{1}, std::int64_t{7},
                                                  std::int64_t{1028}, std::int64_t{9001}),
                         testing::device_and_number<AddRows::ParamType>);

TEST(AddRowsChecks, RefusesNullAndNegativeSizes) {
  float v = 0.0F;
  const RowAddition addition{0, 0};
  EXPECT_THROW(add_rows({}, &addition, 1, 1, nullptr), Error);
  EXPECT_THROW(add_rows({}, nullptr, 1, 1, &v), Error);
  EXPECT_THROW(add_rows({}, &addition, -1, 1, &v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
