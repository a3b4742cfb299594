#include "core/replay.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "core/device_array.h"
#include "tests/support/device/test_device.h"

namespace rallrec {
namespace {

class Replays : public testing::DeviceTest<int> {
 protected:
  using Array = DeviceArray<std::int32_t>;
};

// a takes b's place and b c's: with the wrong order, or with a step left out, other numbers.
TEST_P(Replays, DoTheSameWorkOnWhatIsThere) {
  Array a(queue(), "", {0}), b(queue(), "", {1}), c(queue(), "", {2});
  Replay replay(queue());
  int calls = 0;
  const auto shift = [&] {
    ++calls;
    copy_on_device(queue(), a.data(), b.data(), sizeof(std::int32_t));
    copy_on_device(queue(), b.data(), c.data(), sizeof(std::int32_t));
  };
  std::vector<std::int32_t> seen;
  for (std::int32_t round = 0; round < 6; ++round) {
    c.assign({10 + round});
    replay.run(shift);
    seen.push_back(a.host()[0]);
  }
  EXPECT_EQ(seen, (std::vector<std::int32_t>{1, 10, 11, 12, 13, 14}));
  EXPECT_EQ(b.host()[0], 15);
  EXPECT_EQ(calls, queue().device == Device::kCuda ? 2 : 6);
}

TEST_P(Replays, WithoutCaptureEveryRunCalls) {
  Replay replay(queue(), false);
  int calls = 0;
  for (int round = 0; round < 4; ++round) {
    replay.run([&] { ++calls; });
  }
  EXPECT_EQ(calls, 4);
}

// After an error in what is captured the stream is as before.
TEST_P(Replays, PassOnAnError) {
  Array a(queue(), "", {1}), b(queue(), "", {2});
  Replay replay(queue());
  bool fails = false;
  const auto work = [&] {
    copy_on_device(queue(), a.data(), b.data(), sizeof(std::int32_t));
    if (fails) {
      throw std::runtime_error("no");
    }
  };
  replay.run(work);
  fails = true;
  EXPECT_THROW(replay.run(work), std::runtime_error);
  fails = false;
  b.assign({7});
  replay.run(work);
  EXPECT_EQ(a.host()[0], 7);
}

INSTANTIATE_TEST_SUITE_P(Devices, Replays, testing::on_every_device(0),
                         testing::device_and_number<Replays::ParamType>);

}  // namespace
}  // namespace rallrec
