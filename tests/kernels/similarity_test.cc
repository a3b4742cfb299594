#include "kernels/similarity.h"

#include <gtest/gtest.h>

#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::random_floats;
using rallrec::testing::ThreadCountGuard;

double dot(const float* a, const float* b, std::int64_t width) {
  double sum = 0.0;
  for (std::int64_t k = 0; k < width; ++k) {
    sum += double{a[k]} * b[k];
  }
  return sum;
}

struct Shape {
  std::int64_t queries, candidates, width;
};

class SimilarityShapes : public ::testing::TestWithParam<Shape> {};

TEST_P(SimilarityShapes, EqualsTheDoubleProducts) {
  const Shape s = GetParam();
  const auto q = random_floats(s.queries * s.width, 1);
  const auto c = random_floats(s.candidates * s.width, 2);
  std::vector<float> scores(s.queries * s.candidates, -9.0f);
  ThreadCountGuard threads(2);
  similarity({}, q.data(), s.queries, c.data(), s.candidates, s.width, scores.data());
  for (std::int64_t i = 0; i < s.queries; ++i) {
    for (std::int64_t j = 0; j < s.candidates; ++j) {
      ASSERT_NEAR(scores[i * s.candidates + j],
                  dot(q.data() + i * s.width, c.data() + j * s.width, s.width), 1e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, SimilarityShapes,
                         ::testing::Values(Shape{0, 4, 2}, Shape{4, 0, 2}, Shape{3, 2, 0},
                                           Shape{1, 1, 1}, Shape{5, 300, 33}, Shape{7, 513, 64}));

TEST(SimilarityOfLists, ScoresEachListAgainstItsQuery) {
  const std::int64_t width = 19;
  const auto vectors = random_floats(6 * width, 3);
  const std::int64_t offsets[] = {2, 2, 5, 6};
  const std::int32_t queries[] = {1, 4, 0};
  const std::int32_t candidates[] = {-1, -1, 3, 4, 5, 2};
  std::vector<float> scores(6, 8.0f);
  similarity_of_lists({}, vectors.data(), width, {3, offsets, queries, candidates}, scores.data());
  EXPECT_EQ(scores[0], 8.0f);
  EXPECT_EQ(scores[1], 8.0f);
  for (int e = 2; e < 6; ++e) {
    const std::int32_t query = e < 5 ? 4 : 0;
    EXPECT_NEAR(scores[e],
                dot(vectors.data() + query * width, vectors.data() + candidates[e] * width, width),
                1e-5);
  }
}

}  // namespace
}  // namespace rallrec::kernels
