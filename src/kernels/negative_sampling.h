#pragma once

#include <cstdint>

#include "core/device.h"
#include "core/rng.h"

namespace rallrec::kernels {

// Items that a user has no edge to, drawn uniformly. A draw is a pure function of (seed, epoch,
// edge): it does not depend on the device, nor on which thread or rank asks.

// Separates these draws from other uses of the same seed.
constexpr std::uint32_t kNegativePurpose = 0x6e656761;

// Attempts take the words of philox4x32(seed, {edge, epoch, attempt, kNegativePurpose}) in order,
// turn each into an item by Lemire's multiplication (2019) and refuse those that would make some
// items more likely and those with is_edge(item). There must be one without an edge.
template <typename IsEdge>
std::int32_t draw_negative(std::uint64_t seed, std::uint32_t epoch, std::uint32_t edge,
                           std::int32_t items, const IsEdge& is_edge) {
  const auto bound = static_cast<std::uint64_t>(items);
  // Products whose low half is below this would make some items more likely.
  const auto threshold = static_cast<std::uint32_t>((std::uint64_t{1} << 32) % bound);
  for (std::uint32_t attempt = 0;; ++attempt) {
    for (const std::uint32_t word : philox4x32(seed, {edge, epoch, attempt, kNegativePurpose})) {
      const std::uint64_t product = word * bound;
      const auto item = static_cast<std::int32_t>(product >> 32);
      if (static_cast<std::uint32_t>(product) >= threshold && !is_edge(item)) {
        return item;
      }
    }
  }
}

// The edges of users in one of two forms. User u has an edge to item i where bit i % 64 of
// words[u * row_words + i / 64] is set.
struct EdgeBitmap {
  const std::uint64_t* words = nullptr;
  std::int64_t row_words = 0;
  std::int32_t items = 0;
};
// User u has edges to neighbours[offsets[u], offsets[u + 1]), ascending: less memory, and a binary
// search per attempt.
struct EdgeLists {
  const std::int64_t* offsets = nullptr;
  const std::int32_t* neighbours = nullptr;
  std::int32_t items = 0;
};

// negatives[b] = first_item + the draw for edges[b], an edge of users[b], b < count. Every user
// named must have an item without an edge. 16 bytes and about 40 integer operations per draw, and a
// word of the bitmap per attempt; a user with edges to a share p of the items takes 1 / (1 - p)
// attempts.
struct NegativeDraws {
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  const std::int32_t* users = nullptr;
  const std::uint32_t* edges = nullptr;
  std::int64_t count = 0;
  std::int32_t first_item = 0;
};
// Both forms give the same draws. Pointers are of the queue's device.
void sample_negatives(const Queue& queue, const EdgeBitmap& bitmap, const NegativeDraws& draws,
                      std::int32_t* negatives);
void sample_negatives(const Queue& queue, const EdgeLists& lists, const NegativeDraws& draws,
                      std::int32_t* negatives);

void sample_negatives_cpu(const EdgeBitmap& bitmap, const NegativeDraws& draws,
                          std::int32_t* negatives);
void sample_negatives_cpu(const EdgeLists& lists, const NegativeDraws& draws,
                          std::int32_t* negatives);

}  // namespace rallrec::kernels
