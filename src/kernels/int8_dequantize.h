#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Frozen int8 weights brought back to numbers of 16 or 32 bits, w[k, j] = q[k, j] · scale[j], for
// products whose other factor is not int8 (w8a16, the input gradient of llm_int8).

// B [depth, columns] as packed by pack_int8, one fp32 scale per column, in somebody else's memory.
// Of a linear's W [out, in] it is Wᵀ: depth = in, columns = out.
struct Int8Packed {
  std::int64_t depth = 0;
  std::int64_t columns = 0;
  const std::int8_t* packed = nullptr;
  const float* scale = nullptr;  // [columns]
};

// B as panels of tile_matmul.h: packed_size(depth, columns) floats, as pack_panels lays them. CPU
// only, since panels are.
void dequantize_panels(const Queue& queue, const Int8Packed& b, float* panels);

// Bᵀ as panels, packed_size(columns, depth) floats. CPU only.
void dequantize_turned_panels(const Queue& queue, const Int8Packed& b, float* panels);

// Bᵀ as rows of bf16, [columns, depth], rounded to nearest even. On a CUDA queue all pointers are
// device memory, `packed` is aligned to 8 bytes, and the call only enqueues.
void dequantize_bfloat16(const Queue& queue, const Int8Packed& b, std::uint16_t* rows);

inline Work dequantize_bfloat16_work(std::int64_t depth, std::int64_t columns) {
  return {3 * depth * columns + 4 * columns, depth * columns};
}

}  // namespace rallrec::kernels
