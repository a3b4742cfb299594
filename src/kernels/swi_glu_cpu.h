#pragma once

#include <cstdint>

namespace rallrec::kernels::detail {

// Elements [begin, end).
void swi_glu_cpu(const float* gate, const float* up, float* y, std::int64_t begin,
                 std::int64_t end);
void swi_glu_backward_cpu(const float* gate, const float* up, const float* dy, float* d_gate,
                          float* d_up, std::int64_t begin, std::int64_t end);

}  // namespace rallrec::kernels::detail
