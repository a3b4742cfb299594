#include "kernels/negative_sampling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/rng.h"
#include "tests/support/device/test_device.h"
#include "tests/support/thread_count_guard.h"

namespace rallrec::kernels {
namespace {

using rallrec::testing::DeviceTest;

struct Shape {
  std::int32_t items;
  std::int64_t draws;
};

constexpr std::int64_t kUsers = 3;

struct Bitmap {
  std::int64_t row_words;
  std::vector<std::uint64_t> words;
  bool has(std::int64_t user, std::int32_t item) const {
    return (words[user * row_words + item / 64] >> (item % 64) & 1) != 0;
  }
};

// User 0 has no edge, user 1 half of the items, user 2 all but the last.
Bitmap bitmap_of(std::int32_t items) {
  Bitmap bitmap{(items + 63) / 64, {}};
  bitmap.words.resize(kUsers * bitmap.row_words);
  for (std::int32_t item = 0; item < items - 1; ++item) {
    const std::uint64_t bit = std::uint64_t{1} << (item % 64);
    bitmap.words[bitmap.row_words + item / 64] |= item % 2 == 0 ? bit : 0;
    bitmap.words[2 * bitmap.row_words + item / 64] |= bit;
  }
  return bitmap;
}

// The same edges as lists.
struct Lists {
  std::vector<std::int64_t> offsets{0};
  std::vector<std::int32_t> neighbours;

  Lists(const Bitmap& bitmap, std::int32_t items) {
    for (std::int64_t user = 0; user < kUsers; ++user) {
      for (std::int32_t item = 0; item < items; ++item) {
        if (bitmap.has(user, item)) {
          neighbours.push_back(item);
        }
      }
      offsets.push_back(static_cast<std::int64_t>(neighbours.size()));
    }
  }
};

class NegativeSampling : public DeviceTest<Shape> {
 protected:
  std::vector<std::int32_t> draw(const Bitmap& bitmap, const std::vector<std::int32_t>& users,
                                 const std::vector<std::uint32_t>& edges) {
    const auto words = on_device(bitmap.words);
    const auto of_draw = on_device(users);
    const auto edge = on_device(edges);
    const auto result = empty<std::int32_t>(static_cast<std::int64_t>(users.size()));
    sample_negatives(queue(), EdgeBitmap{words.get(), bitmap.row_words, shape().items},
                     {77, 5, of_draw.get(), edge.get(), static_cast<std::int64_t>(users.size())},
                     result.get());
    return result.host();
  }
};

TEST_P(NegativeSampling, TakesTheFirstWordThatMayBeTaken) {
  const Bitmap bitmap = bitmap_of(shape().items);
  std::vector<std::int32_t> users;
  std::vector<std::uint32_t> edges;
  for (std::int64_t b = 0; b < shape().draws; ++b) {
    users.push_back(static_cast<std::int32_t>(b % kUsers));
    edges.push_back(static_cast<std::uint32_t>(b * 3 + 1));
  }
  testing::ThreadCountGuard threads(2);
  const auto got = draw(bitmap, users, edges);
  for (std::size_t b = 0; b < users.size(); ++b) {
    std::int32_t want = -1;
    for (std::uint32_t word = 0; want < 0; ++word) {
      const auto words = philox4x32(77, {edges[b], 5, word / 4, 0x6e656761});
      // Exact: a word stands for an item where all words of that item's share are whole.
      const std::uint64_t product = std::uint64_t{words[word % 4]} * shape().items;
      const bool fair = product % (std::uint64_t{1} << 32) >=
                        (std::uint64_t{1} << 32) % static_cast<std::uint64_t>(shape().items);
      const auto item = static_cast<std::int32_t>(product / (std::uint64_t{1} << 32));
      want = fair && !bitmap.has(users[b], item) ? item : -1;
    }
    ASSERT_EQ(got[b], want) << b;
  }
}

TEST_P(NegativeSampling, ListsGiveTheDrawsOfTheBitmapAndTheFirstItemIsAdded) {
  const Bitmap bitmap = bitmap_of(shape().items);
  const Lists lists(bitmap, shape().items);
  std::vector<std::int32_t> users;
  std::vector<std::uint32_t> edges;
  for (std::int64_t b = 0; b < shape().draws; ++b) {
    users.push_back(static_cast<std::int32_t>(b % kUsers));
    edges.push_back(static_cast<std::uint32_t>(b * 5));
  }
  auto expected = draw(bitmap, users, edges);
  for (std::int32_t& item : expected) {
    item += 1000;
  }
  const auto offsets = on_device(lists.offsets);
  const auto neighbours = on_device(lists.neighbours);
  const auto of_draw = on_device(users);
  const auto edge = on_device(edges);
  const auto result = empty<std::int32_t>(shape().draws);
  sample_negatives(queue(), EdgeLists{offsets.get(), neighbours.get(), shape().items},
                   {77, 5, of_draw.get(), edge.get(), shape().draws, 1000}, result.get());
  EXPECT_EQ(result.host(), expected);
}

class ManyNegatives : public NegativeSampling {};

TEST_P(ManyNegatives, IsUniformOverWhatIsLeft) {
  const Bitmap bitmap = bitmap_of(shape().items);
  std::vector<std::uint32_t> edges;
  for (std::int64_t b = 0; b < shape().draws; ++b) {
    edges.push_back(static_cast<std::uint32_t>(b));
  }
  std::vector<double> counts(shape().items);
  for (std::int32_t item : draw(bitmap, std::vector<std::int32_t>(edges.size(), 1), edges)) {
    ++counts[item];
  }
  double left = 0.0;
  for (std::int32_t item = 0; item < shape().items; ++item) {
    left += bitmap.has(1, item) ? 0.0 : 1.0;
  }
  const double expected = static_cast<double>(shape().draws) / left;
  double chi_square = 0.0;
  for (std::int32_t item = 0; item < shape().items; ++item) {
    if (bitmap.has(1, item)) {
      ASSERT_EQ(counts[item], 0.0) << item;
    } else {
      chi_square += (counts[item] - expected) * (counts[item] - expected) / expected;
    }
  }
  // Five standard deviations of the chi-square distribution.
  EXPECT_LT(chi_square, left - 1.0 + 5.0 * std::sqrt(2.0 * left));
}

INSTANTIATE_TEST_SUITE_P(Shapes, NegativeSampling,
                         testing::on_every_device(Shape{1, 0}, Shape{2, 30}, Shape{64, 300},
                                                  Shape{131, 3000}),
                         testing::device_and_number<NegativeSampling::ParamType>);

// Enough of them to tell.
INSTANTIATE_TEST_SUITE_P(Shapes, ManyNegatives, testing::on_every_device(Shape{131, 3000}),
                         testing::device_and_number<NegativeSampling::ParamType>);

TEST(NegativeSamplingInput, RefusesRowsThatAreTooShort) {
  const std::uint64_t words[] = {0};
  const std::int32_t users[] = {0};
  const std::uint32_t edges[] = {0};
  std::int32_t negatives[1];
  EXPECT_THROW(sample_negatives({}, EdgeBitmap{words, 1, 65}, {1, 0, users, edges, 1}, negatives),
               Error);
}

}  // namespace
}  // namespace rallrec::kernels
