#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/dropout.h"

namespace rallrec::kernels::detail {

// What the masks of a call share, but for the samples.
struct DropoutDraw {
  std::uint64_t key;
  std::uint32_t stream;     // layer and module
  std::uint32_t threshold;  // of 16 bits
  std::int64_t channels;
};

// The GPU column of dropout.h: rows.tokens, masks and values are device memory, work is enqueued on
// queue.stream. Throw where the build has no CUDA.
void dropout_mask_gpu(const Queue& queue, const DropoutDraw& draw, const DropoutRows& rows,
                      std::uint8_t* mask);
void dropout_apply_gpu(const Queue& queue, float factor, std::int64_t tokens, std::int64_t channels,
                       const std::uint8_t* mask, const float* x, bool accumulate, float* y);

}  // namespace rallrec::kernels::detail
