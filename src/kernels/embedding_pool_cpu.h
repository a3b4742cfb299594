#pragma once

#include <cstdint>

namespace rallrec::kernels::detail {

// Sequences [begin, end).
void pool_mean_cpu(const std::int64_t* offsets, std::int64_t columns, const float* x,
                   std::int64_t begin, std::int64_t end, float* y);
void pool_last_cpu(const std::int64_t* offsets, std::int64_t columns, const float* x,
                   std::int64_t begin, std::int64_t end, float* y);

}  // namespace rallrec::kernels::detail
