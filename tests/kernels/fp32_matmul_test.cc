#include "kernels/fp32_matmul.h"

#include <gtest/gtest.h>

#include "kernels/tile_matmul.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;

std::vector<float> packed(const std::vector<float>& b, const Fp32Shape& shape) {
  std::vector<float> panels(packed_size(shape.depth, shape.columns));
  pack_panels(b.data(), shape.columns, 1, shape.depth, shape.columns, panels.data());
  return panels;
}

class Fp32MatmulShapes : public ::testing::TestWithParam<Fp32Shape> {};

TEST_P(Fp32MatmulShapes, EqualsTheDoubleProduct) {
  const Fp32Shape s = GetParam();
  const auto a = random_floats(s.rows * s.depth, 1);
  const auto b = random_floats(s.depth * s.columns, 2);
  const auto panels = packed(b, s);
  std::vector<float> c(s.rows * s.columns, 9.0F);
  fp32_matmul({}, s, a.data(), panels.data(), false, c.data());
  fp32_matmul({}, s, a.data(), panels.data(), true, c.data());
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < s.columns; ++j) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < s.depth; ++k) {
        sum += double{a[i * s.depth + k]} * b[k * s.columns + j];
      }
      ASSERT_NEAR(c[i * s.columns + j], 2.0 * sum, 1e-3) << i << " " << j;
    }
  }
}

// Blocks are 96 rows and 96 columns.
INSTANTIATE_TEST_SUITE_P(Shapes, Fp32MatmulShapes,
                         ::testing::Values(Fp32Shape{0, 3, 4}, Fp32Shape{3, 4, 0},
                                           Fp32Shape{1, 1, 1}, Fp32Shape{97, 9, 95},
                                           Fp32Shape{96, 257, 96}, Fp32Shape{200, 40, 113}));

TEST(Fp32Matmul, BitsDependNeitherOnNeighboursNorOnThreads) {
  const Fp32Shape s{131, 300, 207};
  const auto a = random_floats(s.rows * s.depth, 3);
  const auto panels = packed(random_floats(s.depth * s.columns, 4), s);
  std::vector<float> one(s.rows * s.columns), two(one.size()), row(s.columns);
  fp32_matmul({}, s, a.data(), panels.data(), false, one.data());
  {
    const rallrec::testing::ThreadCountGuard guard(2);
    fp32_matmul({}, s, a.data(), panels.data(), false, two.data());
  }
  EXPECT_EQ(one, two);
  for (const std::int64_t r : {0L, 95L, 96L, 130L}) {
    fp32_matmul({}, {1, s.depth, s.columns}, a.data() + r * s.depth, panels.data(), false,
                row.data());
    EXPECT_TRUE(std::equal(row.begin(), row.end(), one.begin() + r * s.columns)) << r;
  }
}

}  // namespace
}  // namespace rallrec::kernels
