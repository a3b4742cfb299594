#include "core/launch.h"
#include "kernels/columns_gpu.h"
#include "kernels/gpu/floats.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;

// What is done with what lies in a place and what comes to it.
struct Copy {
  static constexpr bool kReads = false;
  __device__ float operator()(float /*old*/, float value) const { return value; }
};
struct AddScaled {
  static constexpr bool kReads = true;
  float factor;
  __device__ float operator()(float old, float value) const { return old + factor * value; }
};

// A thread per kWidth neighbours of a row.
template <typename Operation, int kWidth>
__global__ void __launch_bounds__(kThreads)
    columns_kernel(ColumnsShape s, Operation operation, const float* from, float* to) {
  const std::int64_t per_row = s.columns / kWidth;
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= s.rows * per_row) {
    return;
  }
  const std::int64_t row = i / per_row;
  const std::int64_t c = (i - row * per_row) * kWidth;
  float* target = to + row * s.to_stride + c;
  const auto values = gpu::load<kWidth>(from + row * s.from_stride + c);
  gpu::Floats<kWidth> result{};
  if (Operation::kReads) {
    result = gpu::load<kWidth>(target);
  }
  for (int k = 0; k < kWidth; ++k) {
    result.v[k] = operation(result.v[k], values.v[k]);
  }
  gpu::store(result, target);
}

template <typename Operation>
void launch_columns(const Queue& queue, const ColumnsShape& s, Operation operation,
                    const float* from, float* to) {
  const bool fours =
      gpu::in_fours(s.columns, from, to) && s.from_stride % 4 == 0 && s.to_stride % 4 == 0;
  launch(fours ? &columns_kernel<Operation, 4> : &columns_kernel<Operation, 1>,
         dim3(blocks_for(s.rows * s.columns, fours ? 4 * kThreads : kThreads)), dim3(kThreads), 0,
         stream_of(queue), s, operation, from, to);
}

}  // namespace

void copy_columns_gpu(const Queue& queue, const ColumnsShape& shape, const float* from, float* to) {
  launch_columns(queue, shape, Copy{}, from, to);
}

void add_columns_gpu(const Queue& queue, const ColumnsShape& shape, float factor, const float* from,
                     float* to) {
  launch_columns(queue, shape, AddScaled{factor}, from, to);
}

}  // namespace rallrec::kernels::detail
