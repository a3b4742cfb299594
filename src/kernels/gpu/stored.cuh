#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/gpu/floats.cuh"

namespace rallrec::kernels::gpu {

// A value as it lies in memory, 16 bytes at a time: float, or bf16 as its 16 bits.
template <typename Stored, int kWidth>
struct alignas(kWidth * sizeof(Stored)) StoredVector {
  Stored v[kWidth];
};

__device__ inline float widened(float value) { return value; }
__device__ inline float widened(std::uint16_t bfloat16) {
  return __uint_as_float(static_cast<unsigned>(bfloat16) << 16);
}

// kWidth stored values as floats; `from` is aligned to kWidth of them.
template <int kWidth, typename Stored>
__device__ Floats<kWidth> load_widened(const Stored* from) {
  const auto values = *reinterpret_cast<const StoredVector<Stored, kWidth>*>(from);
  Floats<kWidth> result;
  for (int i = 0; i < kWidth; ++i) {
    result.v[i] = widened(values.v[i]);
  }
  return result;
}

// Stored values in 16 bytes.
template <typename Stored>
constexpr int kPerLoad = 16 / static_cast<int>(sizeof(Stored));

}  // namespace rallrec::kernels::gpu
