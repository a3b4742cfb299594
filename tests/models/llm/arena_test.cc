#include "models/llm/arena.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rallrec::models::llm {
namespace {

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;

TEST(Arena, GivesTheSameMemoryAgain) {
  Arena arena;
  const void* first = nullptr;
  for (int round = 0; round < 3; ++round) {
    const ArenaScope scope(arena);
    const Rows taken = arena.floats(10, 7);
    first = round == 0 ? taken.data : first;
    EXPECT_EQ(taken.data, first);
    EXPECT_EQ(taken.rows, 10);
    EXPECT_EQ(taken.columns, 7);
  }
}

// Batches of which each is a little larger than all before it, as a long run meets them.
TEST(Arena, HoldsNoMoreThanItsLargestBatchNeeds) {
  Arena arena;
  for (std::int64_t size = 40; size <= 60; ++size) {
    const ArenaScope scope(arena);
    for (int i = 0; i < 3; ++i) {
      arena.array<std::uint8_t>(size * kMegabyte);
    }
    EXPECT_EQ(arena.capacity(), 3 * size * kMegabyte);
  }
}

TEST(Arena, KeepsWhatIsInUseWhenItGrows) {
  Arena arena;
  const ArenaScope outer(arena);
  const Rows small = arena.floats(1, 4);
  std::fill_n(small.data, 4, 3.0F);
  {
    const ArenaScope inner(arena);
    arena.array<std::uint8_t>(40 * kMegabyte);
    arena.array<std::uint8_t>(40 * kMegabyte);
  }
  std::fill_n(arena.array<std::uint8_t>(50 * kMegabyte), 50 * kMegabyte, std::uint8_t{1});
  EXPECT_EQ(arena.capacity(), (32 + 50) * kMegabyte);
  EXPECT_EQ(std::count(small.data, small.data + 4, 3.0F), 4);
  const ArenaScope inner(arena);
  EXPECT_NE(arena.floats(1, 4).data, small.data);
}

}  // namespace
}  // namespace rallrec::models::llm
