#include <cstdint>

#include "core/launch.h"
#include "kernels/embedding_gather_gpu.h"
#include "kernels/gpu/stored.cuh"
#include "kernels/gpu/warp.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kRows = kThreads / gpu::kWarp;

// A warp per row.
template <typename Stored, int kWidth>
__global__ void __launch_bounds__(kThreads)
    gather_kernel(const Stored* table, std::int64_t rows, std::int64_t columns,
                  const std::int64_t* ids, std::int64_t count, float* y) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kRows + threadIdx.x / gpu::kWarp;
  if (i >= count) {
    return;
  }
  const std::int64_t id = ids[i];
  const bool there = id >= 0 && id < rows;
  for (std::int64_t c = threadIdx.x % gpu::kWarp * kWidth; c < columns; c += gpu::kWarp * kWidth) {
    gpu::Floats<kWidth> values;
    if (there) {
      values = gpu::load_widened<kWidth>(table + id * columns + c);
    } else {
      for (int k = 0; k < kWidth; ++k) {
        values.v[k] = __uint_as_float(0x7FC00000U);  // NaN: what follows must not look sound
      }
    }
    gpu::store(values, y + i * columns + c);
  }
}

template <typename Stored>
void launch_gather(const Queue& queue, const Stored* table, std::int64_t rows, std::int64_t columns,
                   const std::int64_t* ids, std::int64_t count, float* y) {
  const dim3 blocks(blocks_for(count, kRows));
  const bool wide = columns % 4 == 0 && reinterpret_cast<std::uintptr_t>(table) % 16 == 0 &&
                    reinterpret_cast<std::uintptr_t>(y) % 16 == 0;
  launch(wide ? &gather_kernel<Stored, 4> : &gather_kernel<Stored, 1>, blocks, dim3(kThreads), 0,
         stream_of(queue), table, rows, columns, ids, count, y);
}

}  // namespace

void embedding_gather_gpu(const Queue& queue, TableType type, const void* table, std::int64_t rows,
                          std::int64_t columns, const std::int64_t* ids, std::int64_t count,
                          float* y) {
  if (type == TableType::kFloat32) {
    launch_gather(queue, static_cast<const float*>(table), rows, columns, ids, count, y);
  } else {
    launch_gather(queue, static_cast<const std::uint16_t*>(table), rows, columns, ids, count, y);
  }
}

}  // namespace rallrec::kernels::detail
