#pragma once

namespace rallrec::kernels::gpu {

// The operands of one tensor-core product D[16, 8] += A[16, 16] · B[16, 8], bf16 in, fp32 out, as
// a warp holds them. With g = lane / 4 and t = lane % 4 (two bf16 per register, the lower column or
// row in the lower half):
//
//   A, row-major      r[0]: row g,     columns 2t, 2t + 1      r[2]: row g,     columns 2t + 8, 2t
//   + 9
//                     r[1]: row g + 8, columns 2t, 2t + 1      r[3]: row g + 8, columns 2t + 8, 2t
//                     + 9
//   B, column-major   r[0]: rows 2t, 2t + 1, column g          r[1]: rows 2t + 8, 2t + 9, column g
//   D                 v[0], v[1]: row g, columns 2t, 2t + 1    v[2], v[3]: row g + 8, same columns
struct FragmentA {
  unsigned r[4];
};

struct FragmentB {
  unsigned r[2];
};

struct Accumulator {
  float v[4];
};

}  // namespace rallrec::kernels::gpu
