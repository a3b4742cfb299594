#include "data/python_random.h"

#include <gtest/gtest.h>

#include <numeric>

namespace rallrec::data {
namespace {

using Numbers = std::vector<std::uint32_t>;

Numbers shuffled(std::uint64_t seed, std::size_t size) {
  Numbers numbers(size);
  std::iota(numbers.begin(), numbers.end(), 0U);
  PythonRandom(seed).shuffle(numbers);
  return numbers;
}

// What CPython 3.11 gives for random.seed(seed); random.shuffle(list(range(n))).
TEST(PythonRandom, ShufflesAsPythonDoes) {
  EXPECT_EQ(shuffled(42, 4), (Numbers{2, 1, 3, 0}));
  EXPECT_EQ(shuffled(42, 5), (Numbers{3, 1, 2, 4, 0}));
  EXPECT_EQ(shuffled(42, 10), (Numbers{7, 3, 2, 8, 5, 6, 9, 4, 0, 1}));
  EXPECT_EQ(shuffled(0, 7), (Numbers{4, 2, 1, 0, 5, 3, 6}));
  EXPECT_EQ(shuffled((std::uint64_t{1} << 40) | 5, 9), (Numbers{1, 2, 3, 6, 7, 0, 5, 4, 8}));
  EXPECT_TRUE(shuffled(42, 0).empty());
  EXPECT_EQ(shuffled(42, 1), Numbers{0});
}

// More draws than the generator's state has words.
TEST(PythonRandom, GoesOnAsPythonDoes) {
  std::int64_t hash = 0;
  for (const std::uint32_t number : shuffled(42, 2000)) hash = (hash * 31 + number) % 1000003;
  EXPECT_EQ(hash, 585491);
}

TEST(PythonRandom, DrawsBelowEveryBound) {
  PythonRandom random(7);
  for (const std::uint32_t bound : {1U, 2U, 3U, 255U, 256U, 257U, 0xFFFFFFFFU}) {
    for (int k = 0; k < 100; ++k) EXPECT_LT(random.next_below(bound), bound);
  }
}

}  // namespace
}  // namespace rallrec::data
