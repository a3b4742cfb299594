#include "core/rng.h"

#include <cmath>

#include "core/check.h"

namespace rallrec {
namespace {

constexpr std::uint32_t kMultiplier0 = 0xD2511F53;
constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85;

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::uint64_t key,
                                        const std::array<std::uint32_t, 4>& counter) {
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  std::array<std::uint32_t, 4> c = counter;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{kMultiplier0} * c[0];
    const std::uint64_t p1 = std::uint64_t{kMultiplier1} * c[2];
    c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ key0, static_cast<std::uint32_t>(p1),
         static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ key1, static_cast<std::uint32_t>(p0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return c;
}

std::uint32_t Rng::next_u32() {
  if (used_ == 4) {
    block_ = philox4x32(
        seed_, {static_cast<std::uint32_t>(position_), static_cast<std::uint32_t>(position_ >> 32),
                static_cast<std::uint32_t>(stream_), static_cast<std::uint32_t>(stream_ >> 32)});
    ++position_;
    used_ = 0;
  }
  return block_[used_++];
}

std::uint64_t Rng::next_u64() {
  const std::uint64_t high = next_u32();
  return (high << 32) | next_u32();
}

float Rng::next_float() { return static_cast<float>(next_u32() >> 8) * 0x1p-24f; }

double Rng::next_double() { return static_cast<double>(next_u64() >> 11) * 0x1p-53; }

std::uint64_t Rng::next_below(std::uint64_t bound) {
  RALLREC_CHECK(bound > 0, "next_below: bound must be positive");
  // Values below `threshold` would make some results more likely than others.
  const std::uint64_t threshold = (0 - bound) % bound;
  std::uint64_t value = next_u64();
  while (value < threshold) {
    value = next_u64();
  }
  return value % bound;
}

double Rng::next_normal() {
  constexpr double kTwoPi = 6.283185307179586476925286766559;
  const double radius = std::sqrt(-2.0 * std::log(1.0 - next_double()));
  return radius * std::cos(kTwoPi * next_double());
}

std::uint64_t permuted_index(std::uint64_t seed, std::uint64_t epoch, std::uint64_t index,
                             std::uint64_t count) {
  RALLREC_CHECK(index < count, "permuted_index: index is not below count");
  int half_bits = 1;
  while ((std::uint64_t{1} << (2 * half_bits)) < count) {
    ++half_bits;
  }
  const std::uint64_t mask = (std::uint64_t{1} << half_bits) - 1;
  std::uint64_t value = index;
  do {
    std::uint64_t left = value >> half_bits;
    std::uint64_t right = value & mask;
    for (std::uint32_t round = 0; round < 4; ++round) {
      const auto words = philox4x32(
          seed, {static_cast<std::uint32_t>(right), round, static_cast<std::uint32_t>(epoch),
                 static_cast<std::uint32_t>(right >> 32)});
      const std::uint64_t mixed = (std::uint64_t{words[0]} << 32 | words[1]) & mask;
      const std::uint64_t next = left ^ mixed;
      left = right;
      right = next;
    }
    value = (left << half_bits) | right;
  } while (value >= count);
  return value;
}

}  // namespace rallrec
