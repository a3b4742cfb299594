#pragma once

#include <array>
#include <cstdint>

namespace rallrec::kernels::detail {

// What the masks of one sample share.
struct DropoutSample {
  std::uint64_t key;
  std::uint32_t stream;  // layer and module
  std::uint64_t sample;
};

// The mask of one token: `channels` bits.
void dropout_token_cpu(const DropoutSample& sample, std::uint32_t token, std::uint32_t threshold,
                       std::int64_t channels, std::uint8_t* mask);

void dropout_apply_cpu(float factor, std::int64_t channels, const std::uint8_t* mask,
                       const float* x, bool accumulate, float* y);

}  // namespace rallrec::kernels::detail
