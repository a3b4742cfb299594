#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::retrieval {

// How many principal components there are at most: no more than rows or columns.
std::int64_t component_count(std::int64_t rows, std::int64_t columns, std::int64_t asked);

// The coordinates of centred rows along the directions in which they differ most, largest first:
// fp32 [rows, component_count]. `values` is fp32 [rows, columns], row-major. A direction's sign is
// the one that makes its largest coordinate positive. Computed in double; with as many components
// as there are rows the distances between rows stay the same.
std::vector<float> principal_components(const float* values, std::int64_t rows,
                                        std::int64_t columns, std::int64_t asked);

}  // namespace rallrec::retrieval
