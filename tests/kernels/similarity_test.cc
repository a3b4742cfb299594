#include "kernels/similarity.h"

#include <gtest/gtest.h>

#include "tests/support/device/test_device.h"
#include "tests/support/random_floats.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceTest;
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

class SimilarityShapes : public DeviceTest<Shape> {};

TEST_P(SimilarityShapes, EqualsTheDoubleProducts) {
  const Shape s = shape();
  const auto q = random_floats(s.queries * s.width, 1);
  const auto c = random_floats(s.candidates * s.width, 2);
  const auto queries = on_device(q);
  const auto candidates = on_device(c);
  const auto result = empty<float>(s.queries * s.candidates);
  ThreadCountGuard threads(2);
  similarity(queue(), queries.get(), s.queries, candidates.get(), s.candidates, s.width,
             result.get());
  const auto scores = result.host();
  for (std::int64_t i = 0; i < s.queries; ++i) {
    for (std::int64_t j = 0; j < s.candidates; ++j) {
      ASSERT_NEAR(scores[i * s.candidates + j],
                  dot(q.data() + i * s.width, c.data() + j * s.width, s.width), 1e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, SimilarityShapes,
                         testing::on_every_device(Shape{0, 4, 2}, Shape{4, 0, 2}, Shape{3, 2, 0},
                                                  Shape{1, 1, 1}, Shape{5, 300, 33},
                                                  Shape{7, 513, 64}, Shape{130, 65, 67}),
                         testing::device_and_number<SimilarityShapes::ParamType>);

class SimilarityOfLists : public DeviceTest<std::int64_t> {};

TEST_P(SimilarityOfLists, ScoresEachListAgainstItsQuery) {
  const std::int64_t width = shape();
  const auto vectors = random_floats(6 * width, 3);
  const std::vector<std::int32_t> of_entry{-1, -1, 3, 4, 5, 2};
  const auto rows = on_device(vectors);
  const auto offsets = on_device(std::vector<std::int64_t>{2, 2, 5, 6});
  const auto queries = on_device(std::vector<std::int32_t>{1, 4, 0});
  const auto candidates = on_device(of_entry);
  const auto result = on_device(std::vector<float>(6, 8.0f));
  similarity_of_lists(queue(), rows.get(), width,
                      {3, offsets.get(), queries.get(), candidates.get()}, result.get());
  const auto scores = result.host();
  EXPECT_EQ(scores[0], 8.0f);
  EXPECT_EQ(scores[1], 8.0f);
  for (int e = 2; e < 6; ++e) {
    const std::int32_t query = e < 5 ? 4 : 0;
    EXPECT_NEAR(scores[e],
                dot(vectors.data() + query * width, vectors.data() + of_entry[e] * width, width),
                1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Widths, SimilarityOfLists,
                         testing::on_every_device(std::int64_t{1}, std::int64_t{19},
                                                  std::int64_t{64}, std::int64_t{260}),
                         testing::device_and_number<SimilarityOfLists::ParamType>);

}  // namespace
}  // namespace rallrec::kernels
