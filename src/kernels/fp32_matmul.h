#pragma once

#include <cstdint>

#include "core/device.h"

namespace rallrec::kernels {

// The fp32 matmul of frozen linears: B is packed once into the panels of tile_matmul.h and
// multiplied many times. The bits of an element of C depend on its row of A, its column of B and
// the depth alone, not on the rows beside it or on the threads.

struct Fp32Shape {
  std::int64_t rows = 0;
  std::int64_t depth = 0;
  std::int64_t columns = 0;
};

// C = A B, or C += A B where `accumulate`.
//
// a is [rows, depth], c [rows, columns], both contiguous; b is packed by pack_panels(depth,
// columns). 2 · rows · depth · columns operations on 4 · (rows · depth + depth · columns + rows ·
// columns) bytes.
void fp32_matmul(const Queue& queue, const Fp32Shape& shape, const float* a, const float* b,
                 bool accumulate, float* c);

}  // namespace rallrec::kernels
