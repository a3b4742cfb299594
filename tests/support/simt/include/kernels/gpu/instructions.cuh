#pragma once

#include <cuda_runtime.h>

#include "kernels/gpu/fragments.cuh"
#include "tests/support/simt/tensor_core.h"

// Takes the place of src/kernels/gpu/instructions.cuh in the host SIMT build.
namespace rallrec::kernels::gpu {

inline void multiply_add(Accumulator& d, const FragmentA& a, const FragmentB& b,
                         int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
  simt::multiply_add(d.v, a.r, b.r, {file, line});
}

inline void multiply_add(IntAccumulator& d, const FragmentA& a, const FragmentB& b,
                         int line = __builtin_LINE(), const char* file = __builtin_FILE()) {
  simt::multiply_add(d.v, a.r, b.r, {file, line});
}

inline void load_matrices(unsigned (&r)[4], const void* row, int line = __builtin_LINE(),
                          const char* file = __builtin_FILE()) {
  simt::load_matrices(r, row, false, {file, line});
}

inline void load_matrices_transposed(unsigned (&r)[4], const void* row, int line = __builtin_LINE(),
                                     const char* file = __builtin_FILE()) {
  simt::load_matrices(r, row, true, {file, line});
}

inline void copy_async_16(void* shared, const void* global, int valid = 16) {
  simt::copy_async(shared, global, 16, valid);
}

inline void copies_commit() { simt::copy_async_commit(); }

template <int kLeft>
void copies_wait() {
  simt::copy_async_wait(kLeft);
}

inline void* dynamic_shared() { return simt::dynamic_shared_memory(); }

}  // namespace rallrec::kernels::gpu
