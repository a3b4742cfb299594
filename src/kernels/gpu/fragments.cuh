#pragma once

namespace rallrec::kernels::gpu {

// The operands of one tensor-core product as a warp holds them. With g = lane / 4 and t = lane % 4:
//
//   D[16, 8] += A[16, 16] · B[16, 8], bf16 in, fp32 out. Two values per register, the lower column
//   of A or row of B in the lower half:
//     A   r[0]: row g, columns 2t, 2t + 1       r[2]: row g, columns 2t + 8, 2t + 9
//         r[1] and r[3]: the same of row g + 8
//     B   r[0]: rows 2t, 2t + 1, column g       r[1]: rows 2t + 8, 2t + 9, column g
//
//   D[16, 8] += A[16, 32] · B[32, 8], int8 in, int32 out. Four values per register, lowest first:
//     A   r[0]: row g, columns 4t … 4t + 3      r[2]: row g, columns 4t + 16 … 4t + 19
//         r[1] and r[3]: the same of row g + 8
//     B   r[0]: rows 4t … 4t + 3, column g      r[1]: rows 4t + 16 … 4t + 19, column g
//
//   D of both   v[0], v[1]: row g, columns 2t, 2t + 1      v[2], v[3]: row g + 8, same columns
struct FragmentA {
  unsigned r[4];
};

struct FragmentB {
  unsigned r[2];
};

struct Accumulator {
  float v[4];
};

struct IntAccumulator {
  int v[4];
};

}  // namespace rallrec::kernels::gpu
