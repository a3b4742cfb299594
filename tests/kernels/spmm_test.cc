#include "kernels/spmm.h"

#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceArray;
using rallrec::testing::DeviceTest;
using rallrec::testing::random_floats;
using rallrec::testing::TestDevice;
using rallrec::testing::ThreadCountGuard;

struct Csr {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> columns;
  std::vector<float> values;
  std::int64_t width_of_matrix = 0;

  CsrView view() const {
    return {static_cast<std::int64_t>(offsets.size()) - 1, width_of_matrix, offsets.data(),
            columns.data(), values.data()};
  }
};

// About a third of the entries are there; every fourth row is empty.
Csr random_csr(std::int64_t rows, std::int64_t columns) {
  Rng rng(5);
  Csr csr;
  csr.width_of_matrix = columns;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < columns && r % 4 != 0; ++c) {
      if (rng.next_below(3) == 0) {
        csr.columns.push_back(static_cast<std::int32_t>(c));
        csr.values.push_back(static_cast<float>(rng.next_normal()));
      }
    }
    csr.offsets.push_back(static_cast<std::int64_t>(csr.columns.size()));
  }
  return csr;
}

// The matrix in the device's memory.
struct DeviceCsr {
  DeviceCsr(TestDevice& device, const Csr& csr)
      : offsets(device, csr.offsets),
        columns(device, csr.columns),
        values(device, csr.values),
        view{csr.view().rows, csr.width_of_matrix, offsets.get(), columns.get(), values.get()} {}

  DeviceArray<std::int64_t> offsets;
  DeviceArray<std::int32_t> columns;
  DeviceArray<float> values;
  CsrView view;
};

std::vector<double> product(const Csr& csr, const std::vector<float>& x, std::int64_t width) {
  const CsrView a = csr.view();
  std::vector<double> y(static_cast<std::size_t>(a.rows * width));
  for (std::int64_t r = 0; r < a.rows; ++r) {
    for (std::int64_t e = a.row_offsets[r]; e < a.row_offsets[r + 1]; ++e) {
      for (std::int64_t c = 0; c < width; ++c) {
        y[r * width + c] += double{csr.values[e]} * x[csr.columns[e] * width + c];
      }
    }
  }
  return y;
}

struct Shape {
  std::int64_t rows, columns, width;
};

class SpmmShapes : public DeviceTest<Shape> {};

TEST_P(SpmmShapes, EqualsTheDoubleProduct) {
  const Shape s = shape();
  const Csr csr = random_csr(s.rows, s.columns);
  const auto x = random_floats(s.columns * s.width, 1);
  const auto addend = random_floats(s.rows * s.width, 2);
  const auto expected = product(csr, x, s.width);
  const DeviceCsr matrix(device(), csr);
  const auto in = on_device(x);
  const auto out = empty<float>(s.rows * s.width);
  const auto in_place = on_device(addend);
  spmm(queue(), matrix.view, in.get(), s.width, nullptr, 1.0F, out.get());
  spmm(queue(), matrix.view, in.get(), s.width, in_place.get(), 0.75F, in_place.get());
  const auto plain = out.host();
  const auto added = in_place.host();
  for (std::size_t i = 0; i < plain.size(); ++i) {
    ASSERT_NEAR(plain[i], expected[i], 2e-5) << i;
    ASSERT_NEAR(added[i], 0.75 * (expected[i] + addend[i]), 2e-5) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, SpmmShapes,
                         testing::on_every_device(Shape{0, 3, 4}, Shape{3, 0, 4}, Shape{5, 4, 0},
                                                  Shape{2, 1, 1}, Shape{7, 9, 17},
                                                  Shape{33, 20, 64}, Shape{12, 50, 100},
                                                  Shape{6, 5, 147}, Shape{9, 400, 128},
                                                  Shape{3, 300, 512}),
                         testing::device_and_number<SpmmShapes::ParamType>);

class Spmm : public DeviceTest<std::int64_t> {};

TEST_P(Spmm, BitsDependNeitherOnThreadsNorOnTheRangeOfRows) {
  const Csr csr = random_csr(61, 40);
  const std::int64_t width = shape();
  const DeviceCsr matrix(device(), csr);
  const auto x = on_device(random_floats(40 * width, 3));
  const auto whole = empty<float>(61 * width);
  spmm(queue(), matrix.view, x.get(), width, nullptr, 0.3F, whole.get());
  ThreadCountGuard threads(2);
  const auto parts = empty<float>(61 * width);
  for (std::int64_t begin : {0, 20, 40}) {
    CsrView range = matrix.view;
    range.row_offsets += begin;
    range.rows = begin == 40 ? 21 : 20;
    spmm(queue(), range, x.get(), width, nullptr, 0.3F, parts.get() + begin * width);
  }
  EXPECT_EQ(parts.host(), whole.host());
}

INSTANTIATE_TEST_SUITE_P(Widths, Spmm, testing::on_every_device(std::int64_t{70}, std::int64_t{64}),
                         testing::device_and_number<Spmm::ParamType>);

TEST(SpmmWithoutCuda, RefusesAGpuThatWasNotBuilt) {
  std::string why;
  if (testing::open_gpu_column(why) != nullptr) {
    GTEST_SKIP() << "this build has the GPU column";
  }
  const Csr csr = random_csr(2, 2);
  const auto x = random_floats(2, 1);
  float y[2];
  EXPECT_THROW(spmm({Device::kCuda, nullptr}, csr.view(), x.data(), 1, nullptr, 1.0F, y), Error);
}

}  // namespace
}  // namespace rallrec::kernels
