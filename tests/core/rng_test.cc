#include "core/rng.h"

#include <gtest/gtest.h>

#include <set>

#include "core/error.h"

namespace rallrec {
namespace {

using Words = std::array<std::uint32_t, 4>;

// Known answers of the Random123 distribution (kat_vectors, philox4x32 10 rounds).
TEST(Philox, MatchesTheKnownAnswers) {
  EXPECT_EQ(philox4x32(0, {0, 0, 0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t f = 0xffffffff;
  EXPECT_EQ(philox4x32(~std::uint64_t{0}, {f, f, f, f}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32(0x299f31d0a4093822, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, StreamsDiffer) {
  EXPECT_NE(Rng(1, 0).next_u64(), Rng(1, 1).next_u64());
  EXPECT_EQ(Rng(1, 7).next_u64(), Rng(1, 7).next_u64());
}

TEST(Rng, BelowIsUniform) {
  Rng rng(3);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) {
    ++counts[rng.next_below(6)];
  }
  for (int count : counts) {
    EXPECT_NEAR(count, 10000, 400);
  }
  EXPECT_THROW(rng.next_below(0), Error);
}

TEST(PermutedIndex, IsABijectionThatDependsOnSeedAndEpoch) {
  for (std::uint64_t count : {1, 2, 5, 64, 1000}) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t i = 0; i < count; ++i) {
      seen.insert(permuted_index(42, 0, i, count));
    }
    EXPECT_EQ(seen.size(), count);
    EXPECT_EQ(*seen.rbegin(), count - 1);
  }
  int moved = 0;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    moved += permuted_index(42, 0, i, 1000) != permuted_index(42, 1, i, 1000);
  }
  EXPECT_GT(moved, 900);
}

}  // namespace
}  // namespace rallrec
