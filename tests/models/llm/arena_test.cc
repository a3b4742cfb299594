#include "models/llm/arena.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace rallrec::models::llm {
namespace {

constexpr std::int64_t kMegabyte = std::int64_t{1} << 20;

TEST(Arena, GivesTheSameMemoryAgain) {
  Arena arena;
  const void* first = nullptr;
  for (int round = 0; round < 3; ++round) {
    const ArenaScope scope(arena);
    const at::Tensor taken = arena.floats(10, 7);
    first = round == 0 ? taken.const_data_ptr() : first;
    EXPECT_EQ(taken.const_data_ptr(), first);
    EXPECT_EQ(taken.sizes(), (at::IntArrayRef{10, 7}));
  }
}

// Batches of which each is a little larger than all before it, as a long run meets them.
TEST(Arena, HoldsNoMoreThanItsLargestBatchNeeds) {
  Arena arena;
  for (std::int64_t size = 40; size <= 60; ++size) {
    const ArenaScope scope(arena);
    for (int i = 0; i < 3; ++i) {
      arena.bytes(size, kMegabyte);
    }
    EXPECT_EQ(arena.capacity(), 3 * size * kMegabyte);
  }
}

TEST(Arena, KeepsWhatIsInUseWhenItGrows) {
  Arena arena;
  const ArenaScope outer(arena);
  at::Tensor small = arena.floats(1, 4);
  small.fill_(3.0F);
  {
    const ArenaScope inner(arena);
    arena.bytes(40, kMegabyte);
    arena.bytes(40, kMegabyte);
  }
  at::Tensor large = arena.bytes(50, kMegabyte);
  large.fill_(1);
  EXPECT_EQ(arena.capacity(), (32 + 50) * kMegabyte);
  EXPECT_TRUE((small == 3.0F).all().item<bool>());
  const ArenaScope inner(arena);
  EXPECT_NE(arena.floats(1, 4).const_data_ptr(), small.const_data_ptr());
}

}  // namespace
}  // namespace rallrec::models::llm
