#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

enum class Pooling { kMean, kLast };

// One vector per packed sequence: the mean of its rows, or its last row.
//
// x is fp32 [tokens, columns]; sequence s is rows [offsets[s], offsets[s + 1]) and must not be
// empty; y fp32 [sequences, columns]. Sums are taken in double in row order.
void embedding_pool(const Queue& queue, Pooling pooling, std::int64_t sequences,
                    const std::int64_t* offsets, std::int64_t columns, const float* x, float* y);

}  // namespace rallrec::kernels
