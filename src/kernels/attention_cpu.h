#pragma once

#include "kernels/attention_arguments.h"

namespace rallrec::kernels::detail {

// One (sequence, key/value head). `scratch` holds attention_scratch floats.
void attention_head_cpu(const AttentionArguments& arguments, const AttentionSequence& sequence,
                        std::int64_t kv_head, float* scratch);
std::int64_t attention_scratch(const AttentionShape& shape, std::int64_t keys);

void attention_backward_head_cpu(const AttentionBackwardArguments& arguments,
                                 const AttentionSequence& sequence, std::int64_t kv_head,
                                 float* scratch);
std::int64_t attention_backward_scratch(const AttentionShape& shape, std::int64_t keys);

// Query rows that share one block of scores: a multiple of the matmul tile's 6 or 12 rows.
constexpr std::int64_t kQueryBlock = 48;

inline std::int64_t padded_keys(std::int64_t keys) { return (keys + 15) / 16 * 16; }

}  // namespace rallrec::kernels::detail
