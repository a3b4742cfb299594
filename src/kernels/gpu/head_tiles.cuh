#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/gpu/stored.cuh"
#include "kernels/gpu/tile_product.cuh"

namespace rallrec::kernels::gpu {

// Rows [first, end) of a head's part, and columns `column` to `column + 63`, into a tile of
// Fp32Product; what is beyond them is 0. Stored: float, or std::uint16_t for bf16.
template <typename Stored>
__device__ void stage_head(float* tile, const Stored* head, std::int64_t first, std::int64_t end,
                           std::int64_t hidden, std::int64_t column) {
  const int k = static_cast<int>(threadIdx.x) % kTile;
  for (int r = static_cast<int>(threadIdx.x) / kTile; r < kTile; r += kTileThreads / kTile) {
    const bool inside = first + r < end && column + k < hidden;
    tile[r * Fp32Product::kStride + k] =
        inside ? widened(head[(first + r) * hidden + column + k]) : 0.0F;
  }
}

}  // namespace rallrec::kernels::gpu
