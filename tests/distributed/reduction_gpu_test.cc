// reduce_pieces on the device against the host's, bit by bit: the sums' order is part of the
// contract.
#include "distributed/reduction_gpu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/launch.h"
#include "distributed/reduction.h"
#include "tests/support/device/test_device.h"

namespace rallrec::distributed {
namespace {

struct Shape {
  int parts;
  std::size_t count;
};

// Values whose sum depends on the order, and some NaN.
template <typename Value>
std::vector<Value> values_of(const Shape& shape) {
  std::vector<Value> values(static_cast<std::size_t>(shape.parts) * shape.count);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto small = static_cast<Value>(1.0) / static_cast<Value>(i % 13 + 3);
    const auto large = static_cast<Value>(i % 7 + 1) * static_cast<Value>(i % 2 == 0 ? 1e8 : -1e8);
    values[i] = i % 3 == 0 ? large : small;
    values[i] = i % 101 == 100 ? std::numeric_limits<Value>::quiet_NaN() : values[i];
  }
  return values;
}

class ReductionGpu : public rallrec::testing::DeviceTest<Shape> {
 protected:
  template <typename Value>
  void check(DType dtype, ReduceOp op) {
    const std::vector<Value> pieces = values_of<Value>(shape());
    std::vector<Value> expected(shape().count);
    reduce_pieces(expected.data(), pieces.data(), shape().parts, shape().count, dtype, op);
    const auto input = on_device(pieces);
    const auto output = empty<Value>(static_cast<std::int64_t>(shape().count));
    reduce_pieces_gpu(output.get(), input.get(), shape().parts, shape().count, dtype, op,
                      stream_of(queue()));
    const std::vector<Value> result = output.host();
    for (std::size_t i = 0; i < result.size(); ++i) {
      // Which NaN it is is not part of the contract.
      ASSERT_TRUE(std::isnan(expected[i])
                      ? std::isnan(result[i])
                      : std::memcmp(&result[i], &expected[i], sizeof(Value)) == 0)
          << i << ": " << result[i] << " instead of " << expected[i];
    }
  }
};

TEST_P(ReductionGpu, HasTheBitsOfTheHost) {
  for (const ReduceOp op : {ReduceOp::kSum, ReduceOp::kMin, ReduceOp::kMax}) {
    check<float>(DType::kFloat32, op);
    check<double>(DType::kFloat64, op);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, ReductionGpu,
    ::testing::Combine(::testing::Values(rallrec::testing::gpu_column_name()),
                       ::testing::Values(Shape{1, 5}, Shape{3, 0}, Shape{2, 1}, Shape{4, 257},
                                         Shape{5, 3000}, Shape{2, 300000})),
    [](const auto& info) { return rallrec::testing::device_and_number(info); });

}  // namespace
}  // namespace rallrec::distributed
