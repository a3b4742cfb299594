#include "kernels/swi_glu.h"

#include <cmath>
#include <vector>

#include "core/parallel_for.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

class SwiGlu : public testing::DeviceTest<std::int64_t> {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    set_thread_count(2);
  }
  void TearDown() override { set_thread_count(1); }
};

TEST_P(SwiGlu, ForwardAndBackwardFollowTheFormula) {
  const std::int64_t count = shape();
  auto host_gate = testing::random_floats(count, 5, 2.0F);
  const auto host_up = testing::random_floats(count, 6, 2.0F);
  const auto host_dy = testing::random_floats(count, 7, 2.0F);
  if (count > 2) {
    host_gate[0] = 90.0F;
    host_gate[1] = -90.0F;
  }
  const auto gate = on_device(host_gate);
  const auto up = on_device(host_up);
  const auto dy = on_device(host_dy);
  const auto y = empty<float>(count);
  const auto d_gate = empty<float>(count);
  swi_glu(queue(), count, gate.get(), up.get(), y.get());
  swi_glu_backward(queue(), count, gate.get(), up.get(), dy.get(), d_gate.get(), dy.get());
  const auto got_y = y.host();
  const auto got_d_gate = d_gate.host();
  const auto got_d_up = dy.host();
  for (std::size_t i = 0; i < host_gate.size(); ++i) {
    const double g = host_gate[i];
    const double u = host_up[i];
    const double d = host_dy[i];
    const double s = 1.0 / (1.0 + std::exp(-g));
    const double scale = 1.0 + std::fabs(g);
    ASSERT_NEAR(got_y[i], g * s * u, 2e-6 * scale * (1.0 + std::fabs(u))) << i;
    ASSERT_NEAR(got_d_gate[i], d * u * (s + g * s * (1.0 - s)), 2e-5) << i;
    ASSERT_NEAR(got_d_up[i], d * g * s, 2e-6 * scale * (1.0 + std::fabs(d))) << i;
  }
  swi_glu(queue(), count, gate.get(), up.get(), up.get());
  EXPECT_EQ(up.host(), got_y);
}

// 1536 · 8 is SmolLM2-135M's MLP for eight tokens.
INSTANTIATE_TEST_SUITE_P(Shapes, SwiGlu,
                         testing::on_every_device(std::int64_t{0}, std::int64_t{1}, std::int64_t{7},
                                                  std::int64_t{1024}, std::int64_t{4099},
                                                  std::int64_t{1536 * 8}, std::int64_t{37505}),
                         testing::device_and_number<SwiGlu::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
