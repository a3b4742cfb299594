#include "kernels/held_rows.h"

#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

class HeldRows : public testing::DeviceTest<std::int64_t> {};

TEST_P(HeldRows, PlacesAreLookedUp) {
  const std::int64_t count = shape();
  std::vector<std::int32_t> ids, want;
  for (std::int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int32_t>(i * 7 % 5));
    want.push_back(10 - ids.back());
  }
  const auto table = on_device(std::vector<std::int32_t>{10, 9, 8, 7, 6});
  const auto list = on_device(ids);
  const auto places = empty<std::int32_t>(count);
  find_places(queue(), table.get(), list.get(), count, places.get());
  EXPECT_EQ(places.host(), want);
}

// The widths are the shapes.
TEST_P(HeldRows, TakesThoseOfItsRangeAndZerosElsewhere) {
  const std::int64_t width = shape();
  const auto values = testing::random_floats(6 * width, 3);
  const std::vector<std::int32_t> places = {5, 0, -1, 2, 2, 4, 1};
  std::vector<float> want;
  for (const std::int32_t place : places) {
    for (std::int64_t k = 0; k < width; ++k) {
      want.push_back(place >= 1 && place < 5 ? values[place * width + k] : 0.0F);
    }
  }
  const auto rows = on_device(values);
  const auto list = on_device(places);
  const auto taken = on_device(std::vector<float>(want.size(), 3.0F));
  testing::ThreadCountGuard threads(2);
  take_rows(queue(), rows.get(), width, list.get(), 7, 1, 5, taken.get());
  EXPECT_EQ(taken.host(), want);
}

INSTANTIATE_TEST_SUITE_P(Sizes, HeldRows,
                         testing::on_every_device(std::int64_t{0}, std::int64_t{1}, std::int64_t{7},
                                                  std::int64_t{64}, std::int64_t{1031}),
                         testing::device_and_number<HeldRows::ParamType>);

TEST(HeldRowsChecks, RefuseNullAndNegativeSizes) {
  float v = 0.0F;
  const std::int32_t id = 0;
  std::int32_t place = 0;
  EXPECT_THROW(find_places({}, nullptr, &id, 1, &place), Error);
  EXPECT_THROW(find_places({}, &id, &id, -1, &place), Error);
  EXPECT_THROW(take_rows({}, nullptr, 1, &id, 1, 0, 1, &v), Error);
  EXPECT_THROW(take_rows({}, &v, -1, &id, 1, 0, 1, &v), Error);
}

}  // namespace
}  // namespace rallrec::kernels
