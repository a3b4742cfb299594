#pragma once

#include <cstdint>

namespace rallrec::kernels {

// Row primitives of the CPU paths, with the instruction set chosen at run time. Their bits depend
// on the arguments alone.

// sum_k a[k] * b[k] in sixteen partial sums.
float dot_row(const float* a, const float* b, std::int64_t width);
// sum_k a[k] * (b[k] - c[k]) likewise.
float dot_difference(const float* a, const float* b, const float* c, std::int64_t width);
// y[k] += scale * x[k].
void add_scaled(float scale, const float* x, float* y, std::int64_t width);
// y[k] += scale * (a[k] - b[k]).
void add_scaled_difference(float scale, const float* a, const float* b, float* y,
                           std::int64_t width);

}  // namespace rallrec::kernels
