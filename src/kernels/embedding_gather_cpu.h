#pragma once

#include <cstdint>

namespace rallrec::kernels::detail {

// Output rows [begin, end).
void gather_float32_cpu(const float* table, std::int64_t columns, const std::int64_t* ids,
                        std::int64_t begin, std::int64_t end, float* y);
void gather_bfloat16_cpu(const std::uint16_t* table, std::int64_t columns, const std::int64_t* ids,
                         std::int64_t begin, std::int64_t end, float* y);

}  // namespace rallrec::kernels::detail
