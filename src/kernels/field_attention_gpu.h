#pragma once

#include "core/device.h"
#include "kernels/field_attention_cpu.h"

namespace rallrec::kernels::detail {

// Enqueue on queue.stream; all pointers are device memory. Throw where the build has no CUDA.
void field_attention_gpu(const Queue& queue, const FieldAttentionArguments& arguments);
void field_attention_backward_gpu(const Queue& queue,
                                  const FieldAttentionBackwardArguments& arguments);

}  // namespace rallrec::kernels::detail
