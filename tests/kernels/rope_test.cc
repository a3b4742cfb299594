#include "kernels/rope.h"

#include <cmath>
#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

struct Shape {
  std::int64_t tokens;
  std::int64_t heads;
  std::int64_t head_dim;
};

using Rope = testing::DeviceTest<Shape>;

double angle(std::int64_t position, std::int64_t c) {
  return 0.3 * static_cast<double>(position) / static_cast<double>(c + 1);
}

TEST_P(Rope, TurnsPairsAndBack) {
  constexpr std::int64_t kPositions = 11;
  const auto [tokens, heads, d] = shape();
  const std::int64_t half = d / 2;
  std::vector<float> host_cosines;
  std::vector<float> host_sines;
  for (std::int64_t i = 0; i < kPositions * half; ++i) {
    host_cosines.push_back(static_cast<float>(std::cos(angle(i / half, i % half))));
    host_sines.push_back(static_cast<float>(std::sin(angle(i / half, i % half))));
  }
  std::vector<std::int64_t> host_positions;
  for (std::int64_t t = 0; t < tokens; ++t) {
    host_positions.push_back(t * 7 % kPositions);
  }
  const auto before = testing::random_floats(tokens * heads * d, 1);
  const auto x = on_device(before);
  const auto positions = on_device(host_positions);
  const auto cosines = on_device(host_cosines);
  const auto sines = on_device(host_sines);
  rope(queue(), tokens, heads, d, positions.get(), cosines.get(), sines.get(),
       RopeDirection::kForward, x.get());
  const auto turned = x.host();
  for (std::int64_t i = 0; i < tokens * heads; ++i) {
    for (std::int64_t c = 0; c < half; ++c) {
      const auto at = static_cast<std::size_t>(i * d + c);
      const auto other = at + static_cast<std::size_t>(half);
      const double a = angle(host_positions[static_cast<std::size_t>(i / heads)], c);
      ASSERT_NEAR(turned[at], before[at] * std::cos(a) - before[other] * std::sin(a), 2e-6);
      ASSERT_NEAR(turned[other], before[other] * std::cos(a) + before[at] * std::sin(a), 2e-6);
    }
  }
  rope(queue(), tokens, heads, d, positions.get(), cosines.get(), sines.get(),
       RopeDirection::kBackward, x.get());
  const auto back = x.host();
  for (std::size_t i = 0; i < back.size(); ++i) {
    ASSERT_NEAR(back[i], before[i], 2e-6);
  }
}

TEST(RopeChecks, RefusesAnOddHead) {
  float x[3] = {};
  const std::int64_t position = 0;
  EXPECT_THROW(rope({}, 1, 1, 3, &position, x, x, RopeDirection::kForward, x), Error);
}

// The last two are the queries of SmolLM2-135M and of Llama-3.1-8B.
INSTANTIATE_TEST_SUITE_P(Shapes, Rope,
                         testing::on_every_device(Shape{0, 1, 2}, Shape{1, 1, 2}, Shape{5, 3, 10},
                                                  Shape{13, 2, 6}, Shape{20, 9, 64},
                                                  Shape{6, 32, 128}),
                         testing::device_and_number<Rope::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
