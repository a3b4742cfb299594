#include "core/launch.h"
#include "kernels/gpu/instructions.cuh"
#include "tests/kernels/fragments_kernels.h"

namespace rallrec::kernels {
namespace {

constexpr int kLanes = 32;

// Value i of a lane's part of A, of B and of D for a product over kDepth. A register holds kPacked
// values.
template <int kDepth>
struct Places {
  static constexpr int kPacked = kDepth / 8;

  int group = static_cast<int>(threadIdx.x) / 4;
  int thread = static_cast<int>(threadIdx.x) % 4;

  __device__ int of_a(int i) const {
    const int row = i / kPacked % 2 == 0 ? group : group + 8;
    const int column = thread * kPacked + i % kPacked + (i < 2 * kPacked ? 0 : kDepth / 2);
    return row * kDepth + column;
  }
  __device__ int of_b(int i) const {
    const int row = thread * kPacked + i % kPacked + (i < kPacked ? 0 : kDepth / 2);
    return row * 8 + group;
  }
  __device__ int of_d(int i) const { return (i < 2 ? group : group + 8) * 8 + thread * 2 + i % 2; }
};

// Bits is the unsigned type as wide as a value.
template <int kDepth, typename Bits, typename Sums, typename Value, typename Sum>
__global__ void __launch_bounds__(kLanes) multiply_kernel(const Value* a, const Value* b, Sum* d) {
  using Of = Places<kDepth>;
  const Of of;
  gpu::FragmentA left{};
  gpu::FragmentB right{};
  Sums sums{};
  for (int i = 0; i < 4 * Of::kPacked; ++i) {
    left.r[i / Of::kPacked] |= static_cast<unsigned>(static_cast<Bits>(a[of.of_a(i)]))
                               << (32 / Of::kPacked * (i % Of::kPacked));
  }
  for (int i = 0; i < 2 * Of::kPacked; ++i) {
    right.r[i / Of::kPacked] |= static_cast<unsigned>(static_cast<Bits>(b[of.of_b(i)]))
                                << (32 / Of::kPacked * (i % Of::kPacked));
  }
  for (int i = 0; i < 4; ++i) {
    sums.v[i] = d[of.of_d(i)];
  }
  gpu::multiply_add(sums, left, right);
  for (int i = 0; i < 4; ++i) {
    d[of.of_d(i)] = sums.v[i];
  }
}

}  // namespace

void multiply_int8(cudaStream_t stream, const std::int8_t* a, const std::int8_t* b,
                   std::int32_t* d) {
  launch(&multiply_kernel<32, std::uint8_t, gpu::IntAccumulator, std::int8_t, std::int32_t>,
         dim3(1), dim3(kLanes), 0, stream, a, b, d);
}

void multiply_bfloat16(cudaStream_t stream, const std::uint16_t* a, const std::uint16_t* b,
                       float* d) {
  launch(&multiply_kernel<16, std::uint16_t, gpu::Accumulator, std::uint16_t, float>, dim3(1),
         dim3(kLanes), 0, stream, a, b, d);
}

}  // namespace rallrec::kernels
