#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

enum class RopeDirection { kForward, kBackward };

// Rotary position embedding (Su et al. 2021) in the half-split layout of Llama checkpoints: of each
// head's vector the pair (x[c], x[c + head_dim/2]) is turned by the angle of (position, c).
//
// x is fp32 [tokens, heads, head_dim], changed in place; head_dim is even. cosines and sines are
// [positions, head_dim/2]; `positions` [tokens] picks a row for each token. kBackward turns the
// other way: the transpose of a rotation is its inverse, so it maps a gradient back. On a
// CUDA queue all pointers are device memory and the call only enqueues.
void rope(const Queue& queue, std::int64_t tokens, std::int64_t heads, std::int64_t head_dim,
          const std::int64_t* positions, const float* cosines, const float* sines,
          RopeDirection direction, float* x);

inline Work rope_work(std::int64_t tokens, std::int64_t heads, std::int64_t head_dim) {
  return {tokens * (8 * heads * head_dim + 4 * head_dim + 8), 3 * tokens * heads * head_dim};
}

}  // namespace rallrec::kernels
