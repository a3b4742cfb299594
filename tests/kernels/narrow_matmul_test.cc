#include "kernels/narrow_matmul.h"

#include <gtest/gtest.h>

#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;

struct Shape {
  std::int64_t m, n, k;
};

class NarrowMatmul : public ::testing::TestWithParam<Shape> {};

// A is kept transposed, so that its strides are not those of a row-major matrix; B and C are parts
// of wider matrices.
TEST_P(NarrowMatmul, EqualsTheDoubleProductForAnyThreadsAndTouchesNothingElse) {
  const auto [m, n, k] = GetParam();
  const std::int64_t ldb = n + 2;
  const std::int64_t ldc = n + 3;
  const auto a = random_floats(k * m, 1);
  const auto b = random_floats(k * ldb, 2);
  std::vector<float> alone;
  for (const int threads : {1, 3}) {
    const testing::ThreadCountGuard guard(threads);
    std::vector<float> c(static_cast<std::size_t>(m * ldc), 7.0F);
    narrow_matmul({}, m, n, k, {a.data(), 1, m}, b.data(), ldb, c.data(), ldc, false);
    narrow_matmul({}, m, n, k, {a.data(), 1, m}, b.data(), ldb, c.data(), ldc, true);
    for (std::int64_t i = 0; i < m; ++i) {
      for (std::int64_t j = 0; j < ldc; ++j) {
        double expected = 0.0;
        for (std::int64_t p = 0; j < n && p < k; ++p) {
          expected += 2.0 * a[p * m + i] * b[p * ldb + j];
        }
        ASSERT_NEAR(c[i * ldc + j], j < n ? expected : 7.0, 2e-3) << i << " " << j;
      }
    }
    alone = threads == 1 ? c : alone;
    EXPECT_EQ(c, alone) << threads;
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, NarrowMatmul,
                         ::testing::Values(Shape{0, 3, 4}, Shape{3, 0, 4}, Shape{2, 3, 0},
                                           Shape{1, 1, 1}, Shape{8, 192, 700}, Shape{300, 8, 576},
                                           Shape{130, 100, 8}, Shape{8, 8, 513}, Shape{13, 67, 5}));

}  // namespace
}  // namespace rallrec::kernels
