#pragma once

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "core/rng.h"

namespace rallrec::train {

// The numbers below `count` in the order of an epoch: Fisher-Yates from 0, 1, 2, …, a function of
// (seed, epoch).
template <typename Index>
std::vector<Index> epoch_order(std::size_t count, std::uint64_t seed, std::int64_t epoch) {
  // Separates the order from other uses of the same seed.
  constexpr std::uint64_t kOrderStream = std::uint64_t{0x6f72646572} << 24;
  std::vector<Index> order(count);
  std::iota(order.begin(), order.end(), Index{0});
  Rng rng(seed, kOrderStream + static_cast<std::uint64_t>(epoch));
  for (std::size_t i = count; i > 1; --i) {
    std::swap(order[i - 1], order[rng.next_below(i)]);
  }
  return order;
}

}  // namespace rallrec::train
