#include "data/python_random.h"

#include <algorithm>
#include <array>

namespace rallrec::data {
namespace {

constexpr std::size_t kStateSize = std::mt19937::state_size;

// init_by_array of the authors of MT19937, which CPython seeds with: the key is the number's 32-bit
// digits, lowest first. An object of this kind is what the constructor of std::mt19937 takes its
// state from.
class SeedSequence {
 public:
  using result_type = std::uint32_t;

  explicit SeedSequence(std::uint64_t seed) : key_{static_cast<std::uint32_t>(seed)} {
    if (seed >> 32 != 0) key_.push_back(static_cast<std::uint32_t>(seed >> 32));
  }

  template <class Iterator>
  void generate(Iterator begin, Iterator end) const {
    const std::array<std::uint32_t, kStateSize> state = mixed();
    std::copy_n(state.begin(), std::min<std::ptrdiff_t>(end - begin, kStateSize), begin);
  }

 private:
  static std::uint32_t spread(std::uint32_t word) { return word ^ (word >> 30); }

  std::array<std::uint32_t, kStateSize> mixed() const {
    std::array<std::uint32_t, kStateSize> state{19650218};
    for (std::uint32_t i = 1; i < kStateSize; ++i) {
      state[i] = 1812433253 * spread(state[i - 1]) + i;
    }
    std::uint32_t i = 1;
    const auto step = [&](std::uint32_t factor, std::uint32_t addend) {
      state[i] = (state[i] ^ (spread(state[i - 1]) * factor)) + addend;
      if (++i < kStateSize) return;
      state[0] = state[kStateSize - 1];
      i = 1;
    };
    for (std::uint32_t k = 0; k < kStateSize; ++k) {
      const auto digit = static_cast<std::uint32_t>(k % key_.size());
      step(1664525, key_[digit] + digit);
    }
    for (std::uint32_t k = 1; k < kStateSize; ++k) step(1566083941, 0U - i);
    state[0] = 0x80000000;
    return state;
  }

  std::vector<std::uint32_t> key_;
};

std::mt19937 seeded(std::uint64_t seed) {
  SeedSequence sequence(seed);
  return std::mt19937(sequence);
}

}  // namespace

PythonRandom::PythonRandom(std::uint64_t seed) : engine_(seeded(seed)) {}

std::uint32_t PythonRandom::next_below(std::uint32_t bound) {
  int bits = 0;
  while (bits < 32 && bound >> bits != 0) ++bits;
  std::uint32_t value = bound;
  while (value >= bound) value = static_cast<std::uint32_t>(engine_()) >> (32 - bits);
  return value;
}

}  // namespace rallrec::data
