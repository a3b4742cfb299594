// The stand-in's tensor-core products against sums over plain matrices: the layout of the operands
// and signs, of which the kernels' tests see only that two errors do not cancel.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/launch.h"
#include "core/rng.h"
#include "tests/kernels/fragments_kernels.h"
#include "tests/support/bfloat16.h"
#include "tests/support/device/test_device.h"
#include "tests/support/exact_sums.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;

// d[i, j] += Σ_k a[i, k] · b[k, j], 16 × 8.
template <typename Values, typename Add>
void for_each_term(const Values& a, const Values& b, std::size_t depth, const Add& add) {
  for (std::size_t i = 0; i < 16; ++i) {
    for (std::size_t j = 0; j < 8; ++j) {
      for (std::size_t k = 0; k < depth; ++k) {
        add(i * 8 + j, a[i * depth + k] * b[k * 8 + j]);
      }
    }
  }
}

std::vector<std::int8_t> random_bytes(std::int64_t count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<std::int8_t> values(static_cast<std::size_t>(count));
  for (std::int8_t& value : values) {
    value = static_cast<std::int8_t>(static_cast<int>(rng.next_below(256)) - 128);
  }
  return values;
}

TEST(Fragments, Int8ProductIsThatOfPlainMatrices) {
  std::string why;
  const auto device = testing::open_gpu_column(why);
  ASSERT_NE(device, nullptr) << why;
  const auto host_a = random_bytes(16 * 32, 1);
  const auto host_b = random_bytes(32 * 8, 2);
  std::vector<std::int32_t> want(16 * 8, 1000);
  const DeviceArray<std::int8_t> a(*device, host_a);
  const DeviceArray<std::int8_t> b(*device, host_b);
  const DeviceArray<std::int32_t> d(*device, want);
  multiply_int8(stream_of(device->queue()), a.get(), b.get(), d.get());
  for_each_term(host_a, host_b, 32, [&](std::size_t at, int term) { want[at] += term; });
  EXPECT_EQ(d.host(), want);
}

TEST(Fragments, Bfloat16ProductIsThatOfPlainMatrices) {
  std::string why;
  const auto device = testing::open_gpu_column(why);
  ASSERT_NE(device, nullptr) << why;
  const auto host_a = testing::random_bfloat16(16 * 16, 3);
  const auto host_b = testing::random_bfloat16(16 * 8, 4);
  const DeviceArray<std::uint16_t> a(*device, host_a);
  const DeviceArray<std::uint16_t> b(*device, host_b);
  const DeviceArray<float> d(*device, std::vector<float>(16 * 8, 10.0F));
  multiply_bfloat16(stream_of(device->queue()), a.get(), b.get(), d.get());
  testing::ExactSums want(16 * 8);
  for (std::size_t at = 0; at < want.value.size(); ++at) {
    want.add(at, 10.0);
  }
  for_each_term(testing::widened(host_a), testing::widened(host_b), 16,
                [&](std::size_t at, double term) { want.add(at, term); });
  expect_near(d.host(), want, "d");
}

}  // namespace
}  // namespace rallrec::kernels
