#pragma once

#include <cstddef>

namespace rallrec::distributed {

// Half-open range of indices.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;

  std::size_t size() const { return end - begin; }
  bool operator==(const Range& other) const { return begin == other.begin && end == other.end; }
};

// The part of [0, count) that `rank` of `ranks` owns: contiguous, in rank order, sizes differ by at
// most one and the longer parts come first. `ranks` is positive.
inline Range split_evenly(std::size_t count, int ranks, int rank) {
  const auto parts = static_cast<std::size_t>(ranks);
  const auto part = static_cast<std::size_t>(rank);
  const std::size_t base = count / parts;
  const std::size_t longer = count % parts;
  const std::size_t begin = part * base + (part < longer ? part : longer);
  return {begin, begin + base + (part < longer ? 1 : 0)};
}

}  // namespace rallrec::distributed
