#include "kernels/tile_matmul.h"

#include <gtest/gtest.h>

#include "tests/support/random_floats.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;

struct Shape {
  std::int64_t rows, depth, columns;
};

class TileMatmulShapes : public ::testing::TestWithParam<Shape> {};

double element(const std::vector<float>& a, const std::vector<float>& b, const Shape& s,
               std::int64_t i, std::int64_t j) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < s.depth; ++k) {
    sum += double{a[i * s.depth + k]} * b[k * s.columns + j];
  }
  return sum;
}

TEST_P(TileMatmulShapes, EqualsTheDoubleProductAndTouchesNothingElse) {
  const Shape s = GetParam();
  const auto a = random_floats(s.rows * s.depth, 1);
  const auto b = random_floats(s.depth * s.columns, 2);
  std::vector<float> packed(packed_size(s.depth, s.columns));
  const Panels panels = pack_panels(b.data(), s.columns, 1, s.depth, s.columns, packed.data());
  const std::int64_t stride = s.columns + 3;
  std::vector<float> c(s.rows * stride, 7.0f);
  tile_matmul({a.data(), s.depth, 1}, panels, s.rows, s.depth, s.columns, false, c.data(), stride);
  tile_matmul({a.data(), s.depth, 1}, panels, s.rows, s.depth, s.columns, true, c.data(), stride);
  for (std::int64_t i = 0; i < s.rows; ++i) {
    for (std::int64_t j = 0; j < stride; ++j) {
      const double expected = j < s.columns ? 2.0 * element(a, b, s, i, j) : 7.0;
      ASSERT_NEAR(c[i * stride + j], expected, 1e-3) << i << " " << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, TileMatmulShapes,
                         ::testing::Values(Shape{0, 3, 4}, Shape{3, 0, 4}, Shape{5, 4, 0},
                                           Shape{1, 1, 1}, Shape{7, 9, 17}, Shape{12, 256, 32},
                                           Shape{25, 300, 16}, Shape{6, 513, 47}));

TEST(TileMatmul, ReadsTransposedOperandsByTheirStrides) {
  const std::int64_t rows = 13, depth = 5, columns = 32;
  const auto a_transposed = random_floats(depth * rows, 3);
  const auto b = random_floats(depth * columns, 4);
  std::vector<float> c(rows * columns);
  tile_matmul({a_transposed.data(), 1, rows}, {b.data(), 16, columns}, rows, depth, columns, false,
              c.data(), columns);
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; ++j) {
      double sum = 0.0;
      for (std::int64_t k = 0; k < depth; ++k) {
        sum += double{a_transposed[k * rows + i]} * b[k * columns + j];
      }
      ASSERT_NEAR(c[i * columns + j], sum, 1e-5);
    }
  }
}

TEST(TileMatmul, BitsOfARowDoNotDependOnItsNeighbours) {
  const std::int64_t rows = 14, depth = 37, columns = 16;
  const auto a = random_floats(rows * depth, 5);
  const auto b = random_floats(depth * columns, 6);
  std::vector<float> whole(rows * columns), alone(columns);
  const Panels panels{b.data(), 16, columns};
  tile_matmul({a.data(), depth, 1}, panels, rows, depth, columns, false, whole.data(), columns);
  for (std::int64_t r = 0; r < rows; ++r) {
    tile_matmul({a.data() + r * depth, depth, 1}, panels, 1, depth, columns, false, alone.data(),
                columns);
    EXPECT_TRUE(std::equal(alone.begin(), alone.end(), whole.begin() + r * columns)) << r;
  }
}

}  // namespace
}  // namespace rallrec::kernels
