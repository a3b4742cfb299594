#include "core/launch.h"
#include "kernels/columns_gpu.h"
#include "kernels/gpu/floats.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

// A thread per kWidth neighbours of a row; columns and strides are in units of kWidth here.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    copy_columns_kernel(ColumnsShape s, const gpu::Floats<kWidth>* from, gpu::Floats<kWidth>* to) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t row = i / s.columns;
  const std::int64_t c = i - row * s.columns;
  if (row < s.rows) {
    to[row * s.to_stride + c] = from[row * s.from_stride + c];
  }
}

template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    add_columns_kernel(ColumnsShape s, float factor, const gpu::Floats<kWidth>* from,
                       gpu::Floats<kWidth>* to) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  const std::int64_t row = i / s.columns;
  const std::int64_t c = i - row * s.columns;
  if (row < s.rows) {
    const gpu::Floats<kWidth> values = from[row * s.from_stride + c];
    gpu::Floats<kWidth> sum = to[row * s.to_stride + c];
    for (int k = 0; k < kWidth; ++k) {
      sum.v[k] += factor * values.v[k];
    }
    to[row * s.to_stride + c] = sum;
  }
}

bool in_fours(const ColumnsShape& s, const float* from, const float* to) {
  return gpu::in_fours(s.columns, from, to) && s.from_stride % 4 == 0 && s.to_stride % 4 == 0;
}

template <int kWidth>
ColumnsShape in_units(ColumnsShape s) {
  s.columns /= kWidth;
  s.from_stride /= kWidth;
  s.to_stride /= kWidth;
  return s;
}

template <int kWidth>
void launch_copy(const Queue& queue, const ColumnsShape& s, const float* from, float* to) {
  launch(&copy_columns_kernel<kWidth>, dim3(blocks_for(s.rows * s.columns / kWidth, kThreads)),
         dim3(kThreads), 0, stream_of(queue), in_units<kWidth>(s),
         reinterpret_cast<const gpu::Floats<kWidth>*>(from),
         reinterpret_cast<gpu::Floats<kWidth>*>(to));
}

template <int kWidth>
void launch_add(const Queue& queue, const ColumnsShape& s, float factor, const float* from,
                float* to) {
  launch(&add_columns_kernel<kWidth>, dim3(blocks_for(s.rows * s.columns / kWidth, kThreads)),
         dim3(kThreads), 0, stream_of(queue), in_units<kWidth>(s), factor,
         reinterpret_cast<const gpu::Floats<kWidth>*>(from),
         reinterpret_cast<gpu::Floats<kWidth>*>(to));
}

}  // namespace

void copy_columns_gpu(const Queue& queue, const ColumnsShape& shape, const float* from, float* to) {
  if (in_fours(shape, from, to)) {
    launch_copy<4>(queue, shape, from, to);
  } else {
    launch_copy<1>(queue, shape, from, to);
  }
}

void add_columns_gpu(const Queue& queue, const ColumnsShape& shape, float factor, const float* from,
                     float* to) {
  if (in_fours(shape, from, to)) {
    launch_add<4>(queue, shape, factor, from, to);
  } else {
    launch_add<1>(queue, shape, factor, from, to);
  }
}

}  // namespace rallrec::kernels::detail
