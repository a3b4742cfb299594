#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "kernels/attention_arguments.h"

namespace rallrec::kernels::detail {

// The widest head of the GPU column.
constexpr std::int64_t kMostAttentionWidth = 256;

// The GPU column of attention.h: all pointers, those of the sequences among them, are device
// memory, work is enqueued on queue.stream. Throw where the build has no CUDA.
void attention_gpu(const Queue& queue, const AttentionArguments& arguments,
                   const std::vector<AttentionSequence>& sequences);
void attention_backward_gpu(const Queue& queue, const AttentionBackwardArguments& arguments,
                            const std::vector<AttentionSequence>& sequences);

}  // namespace rallrec::kernels::detail
