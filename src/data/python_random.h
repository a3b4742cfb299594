#pragma once

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace rallrec::data {

// The generator behind CPython's module `random` (3.2 and later), bit for bit: MT19937 seeded with
// a whole number. The public RALLRec code shuffles with it, so its order can be had again; all
// other randomness comes from core/rng.h.
class PythonRandom {
 public:
  // As random.seed(seed).
  explicit PythonRandom(std::uint64_t seed);

  // As random.randrange(bound), 0 < bound < 2^32.
  std::uint32_t next_below(std::uint32_t bound);

  // As random.shuffle(values), for fewer than 2^32 of them.
  template <class T>
  void shuffle(std::vector<T>& values) {
    for (auto end = static_cast<std::uint32_t>(values.size()); end > 1; --end) {
      std::swap(values[end - 1], values[next_below(end)]);
    }
  }

 private:
  std::mt19937 engine_;
};

}  // namespace rallrec::data
