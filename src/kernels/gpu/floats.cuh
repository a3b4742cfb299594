#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace rallrec::kernels::gpu {

// kWidth floats that are read and written by one instruction (kWidth = 4: 16 bytes).
template <int kWidth>
struct alignas(kWidth * sizeof(float)) Floats {
  float v[kWidth];
};

// `from` and `to` are aligned to kWidth floats.
template <int kWidth>
__device__ inline Floats<kWidth> load(const float* from) {
  return *reinterpret_cast<const Floats<kWidth>*>(from);
}

template <int kWidth>
__device__ inline void store(const Floats<kWidth>& values, float* to) {
  *reinterpret_cast<Floats<kWidth>*>(to) = values;
}

// Whether rows of `columns` floats from every one of `pointers` (null counts as aligned) may be
// walked four at a time.
template <typename... Pointers>
bool in_fours(std::int64_t columns, const Pointers*... pointers) {
  return columns % 4 == 0 && ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

}  // namespace rallrec::kernels::gpu
