#include "core/device_array.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/device/test_device.h"
#include "tests/support/expect_error.h"

namespace rallrec {
namespace {

constexpr const char* kSetting = "a.key";

std::vector<std::int32_t> counting(std::int64_t count, std::int32_t first) {
  std::vector<std::int32_t> values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), first);
  return values;
}

class DeviceArrays : public testing::DeviceTest<std::int64_t> {
 protected:
  using Array = DeviceArray<std::int32_t>;
  Array array(std::int32_t first) { return {queue(), kSetting, counting(shape(), first)}; }
};

TEST_P(DeviceArrays, GiveBackWhatCameFromTheHost) {
  Array values = array(3);
  EXPECT_EQ(values.size(), static_cast<std::size_t>(shape()));
  EXPECT_EQ(values.data() == nullptr, shape() == 0);
  EXPECT_EQ(values.host(), counting(shape(), 3));
  values.assign(counting(shape(), -9));
  EXPECT_EQ(values.host(), counting(shape(), -9));
}

TEST_P(DeviceArrays, CopyAndClearOnTheDevice) {
  const Array source = array(5);
  Array target(queue(), kSetting);
  target.assign_device(source.data(), source.size());
  EXPECT_EQ(target.host(), counting(shape(), 5));
  target.assign_zeros(source.size());
  EXPECT_EQ(target.host(), std::vector<std::int32_t>(source.size()));
  EXPECT_EQ(source.host(), counting(shape(), 5));
}

TEST_P(DeviceArrays, KeepTheirMemoryWhereItIsEnough) {
  Array values = array(0);
  const std::int32_t* memory = values.data();
  values.resize(values.size() / 2);
  EXPECT_EQ(values.host(), counting(shape() / 2, 0));
  values.assign(counting(shape(), 1));
  EXPECT_EQ(values.data(), memory);
  values.assign(counting(shape() + 1, 2));
  EXPECT_EQ(values.host(), counting(shape() + 1, 2));
}

TEST_P(DeviceArrays, MoveAndSwap) {
  Array a = array(1);
  Array b = array(100);
  a.swap(b);
  EXPECT_EQ(a.host(), counting(shape(), 100));
  const Array moved = std::move(a);
  EXPECT_EQ(moved.host(), counting(shape(), 100));
  Array empty(queue(), kSetting);
  empty = std::move(b);
  EXPECT_EQ(empty.host(), counting(shape(), 1));
}

// The last is copied in more than one piece.
INSTANTIATE_TEST_SUITE_P(Counts, DeviceArrays,
                         testing::on_every_device(std::int64_t{0}, std::int64_t{1},
                                                  std::int64_t{77}, std::int64_t{4500001}),
                         testing::device_and_number<DeviceArrays::ParamType>);

TEST(DeviceArrayWithoutCuda, RefusesAGpu) {
  std::string why;
  if (testing::open_gpu_column(why) != nullptr || why != "this build has no CUDA") {
    GTEST_SKIP() << "this build has CUDA";
  }
  DeviceArray<float> values({Device::kCuda, nullptr}, kSetting);
  testing::expect_error(ExitCode::kUsage, "this build has no CUDA", [&] { values.resize(1); });
}

}  // namespace
}  // namespace rallrec
