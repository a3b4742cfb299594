#include <algorithm>

#include "core/check.h"
#include "core/launch.h"
#include "distributed/reduction_gpu.h"

namespace rallrec::distributed {
namespace {

constexpr unsigned kThreads = 256;
constexpr std::int64_t kMostBlocks = 1024;

// As reduction.cc: a NaN on either side of min or max stays.
template <typename Value>
__device__ Value combined(Value a, Value b, ReduceOp op) {
  switch (op) {
    case ReduceOp::kMin:
      return (b < a || b != b) ? b : a;
    case ReduceOp::kMax:
      return (b > a || b != b) ? b : a;
    default:
      return a + b;
  }
}

template <typename Value>
__global__ void __launch_bounds__(kThreads)
    reduce_pieces_kernel(Value* output, const Value* pieces, int parts, std::int64_t count,
                         ReduceOp op) {
  const std::int64_t stride = static_cast<std::int64_t>(gridDim.x) * blockDim.x;
  std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  for (; i < count; i += stride) {
    Value sum = pieces[i];
    for (int part = 1; part < parts; ++part) {
      sum = combined(sum, pieces[part * count + i], op);
    }
    output[i] = sum;
  }
}

template <typename Value>
void reduce_typed(void* output, const void* pieces, int parts, std::size_t count, ReduceOp op,
                  cudaStream_t stream) {
  const auto elements = static_cast<std::int64_t>(count);
  const unsigned blocks = blocks_for(std::min(elements, kMostBlocks * kThreads), kThreads);
  launch(reduce_pieces_kernel<Value>, dim3(blocks), dim3(kThreads), 0, stream,
         static_cast<Value*>(output), static_cast<const Value*>(pieces), parts, elements, op);
}

}  // namespace

void reduce_pieces_gpu(void* output, const void* pieces, int parts, std::size_t count, DType dtype,
                       ReduceOp op, cudaStream_t stream) {
  RALLREC_CHECK(dtype == DType::kFloat32 || dtype == DType::kFloat64,
                "reduce_pieces_gpu: integers are left to NCCL");
  if (dtype == DType::kFloat32) {
    reduce_typed<float>(output, pieces, parts, count, op, stream);
  } else {
    reduce_typed<double>(output, pieces, parts, count, op, stream);
  }
}

}  // namespace rallrec::distributed
