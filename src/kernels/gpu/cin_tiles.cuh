#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cin_cpu.h"
#include "kernels/gpu/tile_product.cuh"

// What both passes of cin stage in shared memory. A column of a tile is a position: a sample and an
// element of its embeddings, numbered b * dim + d. A thread stages one column, every fourth row.
// Numbers within a sample are ints, and places move from tile to tile by additions: divisions and
// 64-bit products would cost as much as the tile's own arithmetic.
namespace rallrec::kernels::gpu {

constexpr int kStagingStep = kTileThreads / kTile;

// Sizes of a sample.
struct CinSizes {
  int dim;
  int fields;
  int maps_in;
  int maps_out;

  __device__ explicit CinSizes(const CinShape& s)
      : dim(static_cast<int>(s.dim)),
        fields(static_cast<int>(s.fields)),
        maps_in(static_cast<int>(s.maps_in)),
        maps_out(static_cast<int>(s.maps_out)) {}

  __device__ int pairs() const { return maps_in * fields; }
};

__device__ inline int staged_column() { return static_cast<int>(threadIdx.x) % kTile; }
__device__ inline int first_staged_row() { return static_cast<int>(threadIdx.x) / kTile; }

struct Position {
  std::int64_t sample;
  int d;

  __device__ Position(const CinSizes& s, std::int64_t number)
      : sample(number / s.dim), d(static_cast<int>(number - sample * s.dim)) {}

  // Where row 0 of `rows` of the sample has its value at this position; row r is r * dim further.
  __device__ std::int64_t at(const CinSizes& s, int rows) const {
    return sample * rows * s.dim + d;
  }

  // The position 64 further on.
  __device__ void advance(const CinSizes& s, int samples, int rest) {
    sample += samples;
    d += rest;
    if (d >= s.dim) {
      d -= s.dim;
      ++sample;
    }
  }
};

// A pair of a map and a field, i * fields + j. Without fields there are no pairs, but a first one.
struct Pair {
  int i;
  int j;

  __device__ Pair(const CinSizes& s, int number)
      : i(number / max(s.fields, 1)), j(number % max(s.fields, 1)) {}

  __device__ void advance(const CinSizes& s, int by) {
    for (j += by; j >= s.fields; j -= s.fields) {
      ++i;
    }
  }
};

// tile[k, m] = x_i ∘ x0_j of this thread's column m at p, k counting from `pair` less the thread's
// first row; 0 where the position or the pair is beyond the end. Leaves `pair` 64 further on.
__device__ inline void stage_products(float* tile, const CinSizes& s, const CinInput& in,
                                      const Position& p, bool inside, Pair& pair) {
  const float* x = in.x + p.at(s, s.maps_in);
  const float* x0 = in.x0 + p.at(s, s.fields);
  float* column = tile + staged_column();
  for (int row = first_staged_row(); row < kTile; row += kStagingStep) {
    const bool there = inside && pair.i < s.maps_in;
    column[row * Fp32Product::kStride] = there ? x[pair.i * s.dim] * x0[pair.j * s.dim] : 0.0F;
    pair.advance(s, kStagingStep);
  }
}

// tile[h, m] = dy + dpooled of output map h0 + h at p; 0 beyond.
__device__ inline void stage_gradients(float* tile, const CinSizes& s,
                                       const CinOutputGradients& out, int h0, const Position& p,
                                       bool inside) {
  const std::int64_t first = p.at(s, s.maps_out);
  float* column = tile + staged_column();
  for (int row = first_staged_row(); row < kTile; row += kStagingStep) {
    const int h = h0 + row;
    float gradient = 0.0F;
    if (inside && h < s.maps_out) {
      gradient = out.dy == nullptr ? 0.0F : out.dy[first + h * s.dim];
      gradient += out.dpooled == nullptr ? 0.0F : out.dpooled[p.sample * s.maps_out + h];
    }
    column[row * Fp32Product::kStride] = gradient;
  }
}

}  // namespace rallrec::kernels::gpu
