#pragma once

#include "tests/support/simt/device_side.h"

namespace rallrec::simt {

// The warp's mma.sync m16n8k16 on bf16 with fp32 sums, m16n8k32 on int8 with int32 sums, and
// ldmatrix; the registers' layout is that of src/kernels/gpu/fragments.cuh. The products of an
// fp32 output are added one by one in fp32; a real tensor core's order and intermediate precision
// are its own.
void multiply_add(float* d, const unsigned* a, const unsigned* b, Site site);
void multiply_add(int* d, const unsigned* a, const unsigned* b, Site site);
void load_matrices(unsigned* r, const void* row, bool transposed, Site site);

}  // namespace rallrec::simt
