#include "kernels/narrow_matmul.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;
using Values = std::vector<float>;

struct Shape {
  std::int64_t m, n, k;
  std::int64_t gap = 0;  // floats between rows of B and C, and in the kept rows of A
};

// The value in the gaps of C.
constexpr float kGapValue = 7.0F;

class NarrowMatmul : public testing::DeviceTest<Shape> {
 protected:
  // A as it is kept: row-major, or transposed so that its rows are neighbours.
  struct Left {
    Values values;
    std::int64_t row_stride, column_stride;
  };

  Left left(bool turned, std::uint64_t seed) const {
    const auto [m, n, k, gap] = shape();
    const std::int64_t stride = (turned ? m : k) + gap;
    return {random_floats((turned ? k : m) * stride, seed), turned ? 1 : stride,
            turned ? stride : 1};
  }

  // Rows [first, last) of C (+)= A · B; C lies in wider rows.
  Values product(const Left& a, const Values& b, const Values& c, bool accumulate,
                 std::int64_t first, std::int64_t last) {
    const auto [m, n, k, gap] = shape();
    const std::int64_t width = n + gap;
    const auto a_there = on_device(a.values);
    const auto b_there = on_device(b);
    const auto c_there = on_device(Values(c.begin() + first * width, c.begin() + last * width));
    narrow_matmul(queue(), last - first, n, k,
                  {a_there.get() + first * a.row_stride, a.row_stride, a.column_stride},
                  b_there.get(), width, c_there.get(), width, accumulate);
    return c_there.host();
  }

  Values result() const {
    const auto [m, n, k, gap] = shape();
    Values c = random_floats(m * (n + gap), 3);
    for (std::int64_t i = 0; i < m * (n + gap); ++i) {
      c[static_cast<std::size_t>(i)] =
          i % (n + gap) < n ? c[static_cast<std::size_t>(i)] : kGapValue;
    }
    return c;
  }

  void expect_product(const Left& a, const Values& b, const Values& c, bool accumulate,
                      const Values& got) const {
    const auto [m, n, k, gap] = shape();
    for (std::int64_t i = 0; i < m * (n + gap); ++i) {
      const std::int64_t row = i / (n + gap);
      const std::int64_t column = i % (n + gap);
      const bool old = accumulate || column >= n;
      double want = old ? c[static_cast<std::size_t>(i)] : 0.0;
      double magnitude = std::fabs(want);
      for (std::int64_t p = 0; column < n && p < k; ++p) {
        const double term =
            double{a.values[static_cast<std::size_t>(row * a.row_stride + p * a.column_stride)]} *
            b[static_cast<std::size_t>(p * (n + gap) + column)];
        want += term;
        magnitude += std::fabs(term);
      }
      ASSERT_NEAR(got[static_cast<std::size_t>(i)], want, column < n ? 3e-6 * magnitude : 0.0)
          << row << " " << column;
    }
  }
};

TEST_P(NarrowMatmul, EqualsTheDoubleProductAndTouchesNothingElse) {
  const auto [m, n, k, gap] = shape();
  const Values b = random_floats(k * (n + gap), 2);
  const Values c = result();
  for (const bool turned : {false, true}) {
    const Left a = left(turned, 1);
    for (const bool accumulate : {false, true}) {
      expect_product(a, b, c, accumulate, product(a, b, c, accumulate, 0, m));
    }
  }
}

TEST_P(NarrowMatmul, ARowHasTheSameBitsAmongFewerRowsAndForAnyThreads) {
  const auto [m, n, k, gap] = shape();
  const Values b = random_floats(k * (n + gap), 2);
  const Values c = result();
  const Left a = left(false, 1);
  const Values whole = product(a, b, c, true, 0, m);
  const testing::ThreadCountGuard guard(3);
  for (const std::int64_t first : {std::int64_t{0}, m / 2, m - m / 3}) {
    const std::int64_t last = std::min(m, first + m / 3 + 1);
    EXPECT_EQ(product(a, b, c, true, first, last),
              Values(whole.begin() + first * (n + gap), whole.begin() + last * (n + gap)))
        << first;
  }
}

// The order that the contract states, seen where rounding swallows a term: with n <= 8 sum 0 begins
// with the terms 0 and 32, which cancel, on CUDA; on the CPU 1 lies between them and is lost.
TEST_P(NarrowMatmul, TermsAreAddedInTheStatedOrder) {
  Values a(33, 0.0F);
  a[0] = 1e8F;
  a[1] = 1.0F;
  a[32] = -1e8F;
  const auto a_there = on_device(a);
  const auto b = on_device(Values(33, 1.0F));
  const auto c = on_device(Values{5.0F});
  narrow_matmul(queue(), 1, 1, 33, {a_there.get(), 33, 1}, b.get(), 1, c.get(), 1, false);
  EXPECT_EQ(c.host()[0], queue().device == Device::kCuda ? 1.0F : 0.0F);
}

// LoRA's four: down, up, and the gradients of its two factors; between them each kind of block,
// whole and not, and more than one step of the depth.
INSTANTIATE_TEST_SUITE_P(
    Shapes, NarrowMatmul,
    testing::on_every_device(Shape{0, 3, 4}, Shape{3, 0, 4}, Shape{2, 3, 0}, Shape{1, 1, 1},
                             Shape{37, 8, 576}, Shape{19, 16, 300, 4}, Shape{21, 13, 129, 3},
                             Shape{33, 4, 257, 4}, Shape{50, 64, 130}, Shape{35, 33, 65, 2},
                             Shape{67, 132, 8, 4}, Shape{65, 70, 33, 1}, Shape{70, 128, 64},
                             Shape{8, 96, 258}, Shape{16, 67, 129, 5}, Shape{18, 30, 140, 2},
                             Shape{300, 8, 40}, Shape{130, 100, 8, 4}),
    testing::device_and_number<NarrowMatmul::ParamType>);

TEST(NarrowMatmulChecks, RefuseNullNegativeSizesAndShortLeadingDimensions) {
  float v[4] = {};
  const StridedMatrix a{v, 1, 1};
  EXPECT_THROW(narrow_matmul({}, -1, 1, 1, a, v, 1, v, 1, false), Error);
  EXPECT_THROW(narrow_matmul({}, 1, 2, 2, a, v, 1, v, 2, false), Error);
  EXPECT_THROW(narrow_matmul({}, 2, 2, 1, a, v, 2, v, 1, false), Error);
  EXPECT_THROW(narrow_matmul({}, 1, 1, 1, {nullptr, 1, 1}, v, 1, v, 1, false), Error);
  EXPECT_THROW(narrow_matmul({}, 1, 1, 1, a, v, 1, nullptr, 1, false), Error);
}

TEST(NarrowMatmulWork, CountsEachOperandOnce) {
  EXPECT_EQ(narrow_matmul_work(2, 3, 5, true).bytes, 4 * (10 + 15 + 12));
  EXPECT_EQ(narrow_matmul_work(2, 3, 5, false).flops, 60);
}

}  // namespace
}  // namespace rallrec::kernels
