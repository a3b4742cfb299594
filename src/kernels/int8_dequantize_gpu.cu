#include "core/launch.h"
#include "kernels/gpu/bfloat16.cuh"
#include "kernels/gpu/stored.cuh"
#include "kernels/int8_dequantize_gpu.h"
#include "kernels/int8_matmul.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kColumns = static_cast<int>(kInt8PanelColumns);
// Of the depth that a block takes: its part of a panel is then eight bytes per thread.
constexpr int kDepth = 128;
// From row to row of the tile, in bf16: 66 words, so that the eight pairs and four groups of
// columns that a warp stores at once lie in different banks.
constexpr int kStride = kDepth + 4;

// What is stored in one instruction: a bf16, or eight.
using One = std::uint16_t;
using Eight = uint4;

__device__ void take(const std::uint16_t* tile, One& out) { out = *tile; }
__device__ void take(const std::uint16_t* tile, Eight& out) {
  const auto* pairs = reinterpret_cast<const uint2*>(tile);
  const uint2 low = pairs[0];
  const uint2 high = pairs[1];
  out = make_uint4(low.x, low.y, high.x, high.y);
}

// Block (panel, part of the depth): 16 columns with their depth in pairs become 16 rows.
template <typename Unit>
__global__ void __launch_bounds__(kThreads)
    dequantize_bfloat16_kernel(Int8Packed b, std::int64_t padded_depth, Unit* rows) {
  constexpr int kWidth = sizeof(Unit) / sizeof(One);
  __shared__ __align__(16) std::uint16_t tile[kColumns * kStride];
  const std::int64_t column = std::int64_t{blockIdx.x} * kColumns;
  const std::int64_t first = std::int64_t{blockIdx.y} * kDepth;
  const int t = static_cast<int>(threadIdx.x);
  const int pair = t / 4;
  const int group = t % 4 * 4;
  if (first + 2 * pair < padded_depth) {
    const auto values = *reinterpret_cast<const gpu::StoredVector<std::int8_t, 8>*>(
        b.packed + column * padded_depth + (first / 2 + pair) * 2 * kColumns + 2 * group);
    for (int i = 0; i < 4; ++i) {
      const std::int64_t of = column + group + i;
      const float scale = of < b.columns ? b.scale[of] : 0.0F;
      const unsigned low = gpu::rounded_to_bfloat16(static_cast<float>(values.v[2 * i]) * scale);
      const unsigned high =
          gpu::rounded_to_bfloat16(static_cast<float>(values.v[2 * i + 1]) * scale);
      *reinterpret_cast<unsigned*>(tile + (group + i) * kStride + 2 * pair) = low | high << 16;
    }
  }
  __syncthreads();
  constexpr int kVectors = kDepth / kWidth;
  for (int i = t; i < kColumns * kVectors; i += kThreads) {
    const int row = i / kVectors;
    const int k = i % kVectors * kWidth;
    if (column + row < b.columns && first + k < b.depth) {
      Unit out;
      take(tile + row * kStride + k, out);
      rows[(column + row) * (b.depth / kWidth) + (first + k) / kWidth] = out;
    }
  }
}

}  // namespace

void dequantize_bfloat16_gpu(const Queue& queue, const Int8Packed& b, std::uint16_t* rows) {
  const dim3 grid(static_cast<unsigned>(int8_panels(b.columns)), blocks_for(b.depth, kDepth));
  const std::int64_t padded = int8_padded_depth(b.depth);
  if (b.depth % 8 == 0 && reinterpret_cast<std::uintptr_t>(rows) % sizeof(Eight) == 0) {
    launch(&dequantize_bfloat16_kernel<Eight>, grid, dim3(kThreads), 0, stream_of(queue), b, padded,
           reinterpret_cast<Eight*>(rows));
  } else {
    launch(&dequantize_bfloat16_kernel<One>, grid, dim3(kThreads), 0, stream_of(queue), b, padded,
           rows);
  }
}

}  // namespace rallrec::kernels::detail
