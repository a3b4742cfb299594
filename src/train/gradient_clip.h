#pragma once

#include <cstdint>

namespace rallrec::train {

// The Euclidean norm of `count` floats, summed in double in a fixed order: the same bits on every
// rank.
double global_norm(const float* values, std::int64_t count);

// Scales the gradient in place by min(1, max_norm / (norm + 1e-6)); max_norm 0 leaves it alone.
void clip_to_norm(float* gradient, std::int64_t count, double norm, double max_norm);

}  // namespace rallrec::train
