#include "retrieval/principal_components.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_floats.h"

namespace rallrec::retrieval {
namespace {

double distance(const std::vector<float>& values, std::int64_t width, std::int64_t a,
                std::int64_t b) {
  double square = 0.0;
  for (std::int64_t k = 0; k < width; ++k) {
    const double difference = double{values[a * width + k]} - values[b * width + k];
    square += difference * difference;
  }
  return std::sqrt(square);
}

// Fewer items than components, more columns than items and the other way round.
TEST(PrincipalComponents, KeepDistancesWhereAllAreKept) {
  for (const auto& [rows, columns] : {std::pair{20, 50}, std::pair{50, 20}, std::pair{1, 4}}) {
    const auto values = testing::random_floats(rows * columns, 3);
    const std::int64_t width = component_count(rows, columns, 128);
    EXPECT_EQ(width, std::min(rows, columns));
    const auto reduced = principal_components(values.data(), rows, columns, 128);
    for (int a = 0; a < rows; ++a) {
      for (int b = 0; b < a; ++b) {
        EXPECT_NEAR(distance(reduced, width, a, b), distance(values, columns, a, b), 1e-4);
      }
    }
  }
}

// Points along (3, 4) with a little across it.
TEST(PrincipalComponents, PutTheDirectionOfMostChangeFirst) {
  const std::vector<float> values = {0.0f, 0.0f, 3.0f, 4.0f, 6.0f, 8.0f, 9.0f - 0.4f, 12.0f + 0.3f};
  const auto reduced = principal_components(values.data(), 4, 2, 1);
  ASSERT_EQ(reduced.size(), 4U);
  for (int row = 1; row < 4; ++row) {
    EXPECT_NEAR(reduced[row] - reduced[row - 1], 5.0, 0.05);
  }
  EXPECT_NEAR(reduced[0] + reduced[1] + reduced[2] + reduced[3], 0.0, 1e-5);
  EXPECT_GT(reduced[3], 0.0f);
}

}  // namespace
}  // namespace rallrec::retrieval
