#include <cstdint>

#include "core/launch.h"
#include "kernels/gpu/floats.cuh"
#include "kernels/narrow_matmul_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
// At least as many blocks on an SM, so that one multiplies while another waits for memory.
constexpr int kBlocksOfSm = 2;
// A thread's sums are kSide × kSide neighbours of C.
constexpr int kSide = 4;
// Rows of a tile in shared memory are an odd number of 16 bytes apart: eight threads that write
// neighbouring rows, 16 bytes each, meet every bank once.
constexpr int kPad = 4;

// A factor seen along the depth: element (k, w) at data[k * depth_stride + w * width_stride], where
// w is a row of A or a column of B.
struct Factor {
  const float* data;
  std::int64_t depth_stride;
  std::int64_t width_stride;
  std::int64_t width;
  bool in_fours;  // kSide neighbours along w are one aligned load
};

struct Product {
  Factor a, b;
  std::int64_t depth;
  float* c;
  std::int64_t ldc;
  bool accumulate;
};

using Four = gpu::Floats<kSide>;

// Elements (k, w … w + 3); 0 beyond the width.
__device__ Four neighbours(const Factor& factor, std::int64_t k, std::int64_t w) {
  const float* from = factor.data + k * factor.depth_stride + w * factor.width_stride;
  if (factor.in_fours && w + kSide <= factor.width) {
    return gpu::load<kSide>(from);
  }
  Four values{};
#pragma unroll
  for (int i = 0; i < kSide; ++i) {
    if (w + i < factor.width) {
      values.v[i] = from[i * factor.width_stride];
    }
  }
  return values;
}

// A thread's share of a tile of kDepth × kWidth elements on its way from global to shared memory.
// Neighbouring threads go the way in which elements are neighbours in memory.
template <int kWidth, int kDepth>
struct Share {
  static constexpr int kAcross = kWidth / kSide;
  static constexpr int kCount = kDepth * kAcross / kThreads;
  static constexpr int kStride = kWidth + kPad;
  static constexpr int kFloats = kDepth * kStride;
  static_assert(kDepth * kAcross % kThreads == 0, "each thread has as much to fetch");

  Four values[kCount];

  __device__ static int k(const Factor& factor, int i) {
    const int item = i * kThreads + static_cast<int>(threadIdx.x);
    return factor.width_stride == 1 ? item / kAcross : item % kDepth;
  }
  __device__ static int w(const Factor& factor, int i) {
    const int item = i * kThreads + static_cast<int>(threadIdx.x);
    return (factor.width_stride == 1 ? item % kAcross : item / kDepth) * kSide;
  }
  // The tile at (depth, first), of which `rest` of the depth are there.
  __device__ void fetch(const Factor& factor, std::int64_t depth, std::int64_t first,
                        std::int64_t rest) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      if (k(factor, i) < rest) {
        values[i] = neighbours(factor, depth + k(factor, i), first + w(factor, i));
      }
    }
  }
  __device__ void put(const Factor& factor, std::int64_t rest, float* tile) const {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      if (k(factor, i) < rest) {
        gpu::store(values[i], tile + k(factor, i) * kStride + w(factor, i));
      }
    }
  }
};

// Block (r, c): kRows × kColumns elements of C. Its threads are kSlices groups; group s sums over
// k = s, s + kSlices, …
template <int kRows, int kColumns>
struct Slices {
  static constexpr int kElements = kRows * kColumns;
  static constexpr int kGroup = kElements / (kSide * kSide);
  static constexpr int kSlices = kThreads / kGroup;

  __device__ static int slice() { return static_cast<int>(threadIdx.x) / kGroup; }
  __device__ static int row() {
    return static_cast<int>(threadIdx.x) % kGroup / (kColumns / kSide) * kSide;
  }
  __device__ static int column() {
    return static_cast<int>(threadIdx.x) % (kColumns / kSide) * kSide;
  }
};

// sums += the products of `rest` rows of two tiles, those of this thread's slice.
template <typename Mine, int kStrideA, int kStrideB>
__device__ void multiply(Four (&sums)[kSide], const float* tile_a, const float* tile_b, int rest) {
#pragma unroll 4
  for (int k = Mine::slice(); k < rest; k += Mine::kSlices) {
    const Four left = gpu::load<kSide>(tile_a + k * kStrideA + Mine::row());
    const Four right = gpu::load<kSide>(tile_b + k * kStrideB + Mine::column());
#pragma unroll
    for (int i = 0; i < kSide; ++i) {
#pragma unroll
      for (int j = 0; j < kSide; ++j) {
        sums[i].v[j] += left.v[i] * right.v[j];
      }
    }
  }
}

// The slices of each element in their order, and C. `shared` holds Mine::kElements floats a slice.
template <typename Mine, int kColumns>
__device__ void combine(const Four (&sums)[kSide], float* shared, const Product& p,
                        std::int64_t row, std::int64_t column) {
#pragma unroll
  for (int i = 0; i < kSide; ++i) {
    gpu::store(sums[i], shared + Mine::slice() * Mine::kElements + (Mine::row() + i) * kColumns +
                            Mine::column());
  }
  __syncthreads();
  for (int e = static_cast<int>(threadIdx.x); e < Mine::kElements; e += kThreads) {
    const std::int64_t i = row + e / kColumns;
    const std::int64_t j = column + e % kColumns;
    if (i < p.a.width && j < p.b.width) {
      float sum = shared[e];
      for (int slice = 1; slice < Mine::kSlices; ++slice) {
        sum += shared[slice * Mine::kElements + e];
      }
      float* to = p.c + i * p.ldc + j;
      *to = p.accumulate ? *to + sum : sum;
    }
  }
}

// kDepth of the depth at a time; the next tiles are fetched while these are multiplied.
template <int kRows, int kColumns, int kDepth>
__global__ void __launch_bounds__(kThreads, kBlocksOfSm) narrow_matmul_kernel(Product p) {
  using Mine = Slices<kRows, kColumns>;
  using ShareA = Share<kRows, kDepth>;
  using ShareB = Share<kColumns, kDepth>;
  constexpr int kFloats = ShareA::kFloats + ShareB::kFloats;
  static_assert(kFloats >= Mine::kSlices * Mine::kElements, "the sums take the place of the tiles");
  alignas(16) __shared__ float shared[kFloats];
  const std::int64_t row = std::int64_t{blockIdx.x} * kRows;
  const std::int64_t column = std::int64_t{blockIdx.y} * kColumns;
  ShareA share_a;
  ShareB share_b;
  share_a.fetch(p.a, 0, row, p.depth);
  share_b.fetch(p.b, 0, column, p.depth);
  Four sums[kSide] = {};
  for (std::int64_t depth = 0; depth < p.depth; depth += kDepth) {
    const std::int64_t rest = p.depth - depth;
    share_a.put(p.a, rest, shared);
    share_b.put(p.b, rest, shared + ShareA::kFloats);
    __syncthreads();
    share_a.fetch(p.a, depth + kDepth, row, rest - kDepth);
    share_b.fetch(p.b, depth + kDepth, column, rest - kDepth);
    multiply<Mine, ShareA::kStride, ShareB::kStride>(
        sums, shared, shared + ShareA::kFloats, rest < kDepth ? static_cast<int>(rest) : kDepth);
    __syncthreads();
  }
  combine<Mine, kColumns>(sums, shared, p, row, column);
}

Factor factor_of(const float* data, std::int64_t depth_stride, std::int64_t width_stride,
                 std::int64_t width) {
  const bool in_fours = width_stride == 1 && gpu::in_fours(depth_stride, data);
  return {data, depth_stride, width_stride, width, in_fours};
}

template <int kRows, int kColumns, int kDepth>
void launch_product(const Queue& queue, const Product& p) {
  launch(&narrow_matmul_kernel<kRows, kColumns, kDepth>,
         dim3(blocks_for(p.a.width, kRows), blocks_for(p.b.width, kColumns)), dim3(kThreads), 0,
         stream_of(queue), p);
}

}  // namespace

// Chosen by n and k alone, since kRows and kColumns settle the order of a sum: a row must have the
// same bits among many rows as among few.
void narrow_matmul_gpu(const Queue& queue, std::int64_t m, std::int64_t n, std::int64_t k,
                       const StridedMatrix& a, const float* b, std::int64_t ldb, float* c,
                       std::int64_t ldc, bool accumulate) {
  const Product p{factor_of(a.data, a.column_stride, a.row_stride, m),
                  factor_of(b, ldb, 1, n),
                  k,
                  c,
                  ldc,
                  accumulate};
  if (n <= 8) {
    launch_product<16, 8, 256>(queue, p);
  } else if (n <= 16) {
    launch_product<16, 16, 128>(queue, p);
  } else if (n > 32 && k <= 64) {
    launch_product<64, 64, 32>(queue, p);
  } else if (n > 32 && n <= 64) {
    launch_product<32, 64, 64>(queue, p);
  } else {
    launch_product<16, 32, 128>(queue, p);
  }
}

}  // namespace rallrec::kernels::detail
