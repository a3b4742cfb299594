#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/held_rows_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

__device__ std::int64_t thread_number() {
  return std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
}

__global__ void __launch_bounds__(kThreads)
    find_places_kernel(const std::int32_t* place_of, const std::int32_t* ids, std::int64_t count,
                       std::int32_t* places) {
  const std::int64_t i = thread_number();
  if (i < count) {
    places[i] = place_of[ids[i]];
  }
}

// A thread per kWidth columns of a row.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    take_rows_kernel(const float* rows, std::int64_t width, const std::int32_t* places,
                     std::int64_t count, std::int64_t begin, std::int64_t end, float* taken) {
  const std::int64_t parts = width / kWidth;
  const std::int64_t row = thread_number() / parts;
  if (row >= count) {
    return;
  }
  const std::int64_t column = thread_number() % parts * kWidth;
  const std::int64_t place = places[row];
  gpu::Floats<kWidth> values{};
  if (place >= begin && place < end) {
    values = gpu::load<kWidth>(rows + place * width + column);
  }
  gpu::store(values, taken + row * width + column);
}

}  // namespace

void find_places_gpu(const Queue& queue, const std::int32_t* place_of, const std::int32_t* ids,
                     std::int64_t count, std::int32_t* places) {
  launch(&find_places_kernel, dim3(blocks_for(count, kThreads)), dim3(kThreads), 0,
         stream_of(queue), place_of, ids, count, places);
}

void take_rows_gpu(const Queue& queue, const float* rows, std::int64_t width,
                   const std::int32_t* places, std::int64_t count, std::int64_t begin,
                   std::int64_t end, float* taken) {
  const bool fours = gpu::in_fours(width, rows, taken);
  launch(fours ? &take_rows_kernel<4> : &take_rows_kernel<1>,
         dim3(blocks_for(count * width / (fours ? 4 : 1), kThreads)), dim3(kThreads), 0,
         stream_of(queue), rows, width, places, count, begin, end, taken);
}

}  // namespace rallrec::kernels::detail
