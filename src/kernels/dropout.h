#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Names one mask: bit (token in sample, channel) is a pure function of these and of nothing else.
struct DropoutStream {
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;
  std::int64_t layer = 0;
  std::int64_t module = 0;  // below 16
};

// Bytes of one token's mask: a bit per channel, 1 = kept.
constexpr std::int64_t dropout_mask_bytes(std::int64_t channels) { return (channels + 7) / 8; }

// Rows of packed sequences: rows [offsets[s], offsets[s + 1]) are tokens of sample samples[s], row
// i its token tokens[i].
struct DropoutRows {
  const std::vector<std::int64_t>& samples;
  const std::vector<std::int64_t>& offsets;  // [samples + 1]
  const std::int64_t* tokens;
};

// Each channel draws 16 bits of Philox4x32-10; it is dropped where they are below rate · 65536,
// rounded. `mask` is [rows, dropout_mask_bytes(channels)]. 0 < rate < 1. On a CUDA queue tokens and
// mask are device memory, samples and offsets stay the host's, and the call only enqueues; the bits
// are those of the CPU.
void dropout_mask(const Queue& queue, const DropoutStream& stream, double rate,
                  const DropoutRows& rows, std::int64_t channels, std::uint8_t* mask);

// y = x / (1 - rate) where the mask has a 1, else 0; fp32 [tokens, channels]; y may be x. With
// `accumulate` it is added to y: the backward pass, where x is a gradient. On a CUDA queue all
// pointers are device memory and the call only enqueues.
void dropout_apply(const Queue& queue, double rate, std::int64_t tokens, std::int64_t channels,
                   const std::uint8_t* mask, const float* x, bool accumulate, float* y);

// 100 integer operations make one byte, which are not counted as flops.
inline Work dropout_mask_work(std::int64_t rows, std::int64_t channels) {
  return {rows * (dropout_mask_bytes(channels) + 8), 0};
}

inline Work dropout_apply_work(std::int64_t tokens, std::int64_t channels, bool accumulate) {
  const std::int64_t count = tokens * channels;
  return {(accumulate ? 12 : 8) * count + tokens * dropout_mask_bytes(channels),
          (accumulate ? 2 : 1) * count};
}

}  // namespace rallrec::kernels
