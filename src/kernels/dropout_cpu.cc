#include "kernels/dropout_cpu.h"

#include <algorithm>

#include "kernels/simd.h"

namespace rallrec::kernels::detail {
namespace {

// Philox4x32-10 on kLanes counters that differ in their first word, written lane by lane so that
// the compiler runs several at once. core/rng.h is the reference.
constexpr int kLanes = 8;

struct Counters {
  std::uint32_t word[4][kLanes];
};

[[gnu::always_inline]] inline void philox_lanes(std::uint64_t key, Counters& c) {
  auto key0 = static_cast<std::uint32_t>(key);
  auto key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < kLanes; ++i) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53} * c.word[0][i];
      const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * c.word[2][i];
      c.word[0][i] = static_cast<std::uint32_t>(p1 >> 32) ^ c.word[1][i] ^ key0;
      c.word[1][i] = static_cast<std::uint32_t>(p1);
      c.word[2][i] = static_cast<std::uint32_t>(p0 >> 32) ^ c.word[3][i] ^ key1;
      c.word[3][i] = static_cast<std::uint32_t>(p0);
    }
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
}

// The eight channels of each counter: two 16-bit draws per word, low half first.
[[gnu::always_inline]] inline void kept_bits(const Counters& c, std::uint32_t threshold,
                                             std::uint32_t* bits) {
  for (int i = 0; i < kLanes; ++i) {
    bits[i] = 0;
  }
  for (unsigned w = 0; w < 4; ++w) {
    for (int i = 0; i < kLanes; ++i) {
      const std::uint32_t low = (c.word[w][i] & 0xFFFF) >= threshold ? 1U : 0U;
      const std::uint32_t high = (c.word[w][i] >> 16) >= threshold ? 2U : 0U;
      bits[i] |= (low | high) << (2 * w);
    }
  }
}

struct TokenMask {
  [[gnu::always_inline]] static void run(const DropoutSample* sample, std::uint32_t token,
                                         std::uint32_t threshold, std::int64_t bytes,
                                         std::uint8_t* mask) {
    for (std::int64_t begin = 0; begin < bytes; begin += kLanes) {
      Counters c;
      for (int i = 0; i < kLanes; ++i) {
        // 20 bits hold any byte of a mask (8 · 2^20 channels), 12 the high bits of the sample.
        c.word[0][i] = static_cast<std::uint32_t>(begin + i) |
                       static_cast<std::uint32_t>(sample->sample >> 32) << 20;
        c.word[1][i] = token;
        c.word[2][i] = static_cast<std::uint32_t>(sample->sample);
        c.word[3][i] = sample->stream;
      }
      philox_lanes(sample->key, c);
      std::uint32_t bits[kLanes];
      kept_bits(c, threshold, bits);
      const std::int64_t count = std::min<std::int64_t>(kLanes, bytes - begin);
      for (std::int64_t i = 0; i < count; ++i) {
        mask[begin + i] = static_cast<std::uint8_t>(bits[i]);
      }
    }
  }
};

struct Apply {
  [[gnu::always_inline]] static void run(float factor, std::int64_t channels,
                                         const std::uint8_t* mask, const float* x, bool accumulate,
                                         float* y) {
    constexpr IntLanes kBits = {1, 2, 4, 8, 16, 32, 64, 128};
    std::int64_t c = 0;
    for (; c + 8 <= channels; c += 8) {
      FloatLanes value;
      load_lanes(x + c, value);
      const IntLanes kept = (kBits & static_cast<std::int32_t>(mask[c / 8])) != 0;
      value = kept ? value * factor : FloatLanes{};
      if (accumulate) {
        FloatLanes old;
        load_lanes(y + c, old);
        value += old;
      }
      store_lanes(value, y + c);
    }
    for (; c < channels; ++c) {
      const float value = (mask[c / 8] >> (c % 8) & 1) != 0 ? x[c] * factor : 0.0F;
      y[c] = accumulate ? y[c] + value : value;
    }
  }
};

}  // namespace

void dropout_token_cpu(const DropoutSample& sample, std::uint32_t token, std::uint32_t threshold,
                       std::int64_t channels, std::uint8_t* mask) {
  run_best<TokenMask>(&sample, token, threshold, (channels + 7) / 8, mask);
}

void dropout_apply_cpu(float factor, std::int64_t channels, const std::uint8_t* mask,
                       const float* x, bool accumulate, float* y) {
  run_best<Apply>(factor, channels, mask, x, accumulate, y);
}

}  // namespace rallrec::kernels::detail
