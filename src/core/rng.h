#pragma once

#include <array>
#include <cstdint>

namespace rallrec {

// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): four
// random words that are a pure function of a 64-bit key and a 128-bit counter. Nothing is stored,
// so a value does not depend on which rank or thread draws it, nor in which order.
std::array<std::uint32_t, 4> philox4x32(std::uint64_t key,
                                        const std::array<std::uint32_t, 4>& counter);

// A stream of random numbers: key = seed, counter = (position, stream). Cheap to construct; two
// generators with the same (seed, stream) give the same numbers.
class Rng {
 public:
  explicit Rng(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  std::uint32_t next_u32();
  std::uint64_t next_u64();
  // Uniform in [0, 1) with 24 (float) or 53 (double) random bits.
  float next_float();
  double next_double();
  // Uniform in [0, bound) without bias; bound must be positive.
  std::uint64_t next_below(std::uint64_t bound);
  // Standard normal (Box-Muller).
  double next_normal();

 private:
  std::uint64_t seed_;
  std::uint64_t stream_;
  std::uint64_t position_ = 0;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

// The image of `index` under a keyed pseudo-random permutation of [0, count): a four-round Feistel
// network over Philox with cycle walking. Data order is this function of (seed, epoch), never
// generator state, so any rank can compute any position.
std::uint64_t permuted_index(std::uint64_t seed, std::uint64_t epoch, std::uint64_t index,
                             std::uint64_t count);

}  // namespace rallrec
