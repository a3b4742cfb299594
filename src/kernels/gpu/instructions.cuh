#pragma once

#include <cuda_runtime.h>

#include "kernels/gpu/fragments.cuh"

// What CUDA C++ has no function for. The host SIMT build has its own header of this name.
namespace rallrec::kernels::gpu {

// d += a · b over the warp: one tensor-core instruction, 4,096 flops. All lanes must call.
__device__ __forceinline__ void multiply_add(Accumulator& d, const FragmentA& a,
                                             const FragmentB& b) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
      : "+f"(d.v[0]), "+f"(d.v[1]), "+f"(d.v[2]), "+f"(d.v[3])
      : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1]));
}

// The same for int8 with int32 sums, which wrap: 8,192 operations.
__device__ __forceinline__ void multiply_add(IntAccumulator& d, const FragmentA& a,
                                             const FragmentB& b) {
  asm volatile(
      "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 "
      "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};\n"
      : "+r"(d.v[0]), "+r"(d.v[1]), "+r"(d.v[2]), "+r"(d.v[3])
      : "r"(a.r[0]), "r"(a.r[1]), "r"(a.r[2]), "r"(a.r[3]), "r"(b.r[0]), "r"(b.r[1]));
}

// Four 8 × 8 matrices of 16-bit values from shared memory. Lane l gives the address of row l % 8 of
// matrix l / 8 (16 bytes, aligned to 16); r[m] receives row l / 4, columns 2 (l % 4) and the next,
// of matrix m. All lanes must call.
__device__ __forceinline__ void load_matrices(unsigned (&r)[4], const void* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

// The same with each matrix transposed on its way: r[m] receives rows 2 (l % 4) and the next,
// column l / 4.
__device__ __forceinline__ void load_matrices_transposed(unsigned (&r)[4], const void* row) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(row));
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];\n"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(address)
               : "memory");
}

// Starts to copy 16 bytes from global to shared memory, both aligned to 16, of which the first
// `valid` (0 to 16) are read and the rest are zeros. Visible to this thread after copies_wait, to
// the block after a barrier on top.
__device__ __forceinline__ void copy_async_16(void* shared, const void* global, int valid = 16) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(address), "l"(global),
               "r"(valid)
               : "memory");
}

// Closes a group of the copies started since the last one.
__device__ __forceinline__ void copies_commit() {
  asm volatile("cp.async.commit_group;\n" ::: "memory");
}

// Waits until at most kLeft groups of this thread are not done.
template <int kLeft>
__device__ __forceinline__ void copies_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(kLeft) : "memory");
}

// The block's dynamic shared memory, aligned to 128 bytes, as large as the launch asked for.
__device__ __forceinline__ void* dynamic_shared() {
  extern __shared__ __align__(128) unsigned char bytes[];
  return bytes;
}

}  // namespace rallrec::kernels::gpu
