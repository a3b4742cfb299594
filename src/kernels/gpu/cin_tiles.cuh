#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/cin_cpu.h"
#include "kernels/gpu/tile_product.cuh"

// What both passes of cin stage in shared memory. A column of a tile is a position: a sample and an
// element of its embeddings, numbered b * dim + d. A thread stages one column, every fourth row.
namespace rallrec::kernels::gpu {

constexpr int kStagingStep = kTileThreads / kTile;

// CinShape::pairs for device code.
__device__ inline std::int64_t pairs_of(const CinShape& s) { return s.maps_in * s.fields; }

struct Position {
  bool inside;
  std::int64_t sample;
  std::int64_t d;

  // Where map or field `row` of `rows` has its value at this position.
  __device__ std::int64_t at(std::int64_t rows, std::int64_t row, std::int64_t dim) const {
    return (sample * rows + row) * dim + d;
  }
};

__device__ inline Position position_of(const CinShape& s, std::int64_t number) {
  const std::int64_t sample = number / s.dim;
  return {sample < s.batch, sample, number - sample * s.dim};
}

__device__ inline int staged_column() { return static_cast<int>(threadIdx.x) % kTile; }
__device__ inline int first_staged_row() { return static_cast<int>(threadIdx.x) / kTile; }

// tile[k, m] = x_i ∘ x0_j at position `first_position + m` for pair k0 + k; 0 beyond either end.
__device__ inline void stage_products(float* tile, const CinShape& s, const CinInput& in,
                                      std::int64_t k0, std::int64_t first_position) {
  const int column = staged_column();
  const Position p = position_of(s, first_position + column);
  const std::int64_t first = k0 + first_staged_row();
  std::int64_t i = first / s.fields;
  std::int64_t j = first - i * s.fields;
  for (int row = first_staged_row(); row < kTile; row += kStagingStep) {
    float product = 0.0F;
    if (p.inside && i < s.maps_in) {
      product = in.x[p.at(s.maps_in, i, s.dim)] * in.x0[p.at(s.fields, j, s.dim)];
    }
    tile[row * Fp32Product::kStride + column] = product;
    for (j += kStagingStep; j >= s.fields; j -= s.fields) {
      ++i;
    }
  }
}

// tile[h, m] = dy + dpooled of output map h0 + h at position `first_position + m`; 0 beyond.
__device__ inline void stage_gradients(float* tile, const CinShape& s,
                                       const CinOutputGradients& out, std::int64_t h0,
                                       std::int64_t first_position) {
  const int column = staged_column();
  const Position p = position_of(s, first_position + column);
  for (int row = first_staged_row(); row < kTile; row += kStagingStep) {
    const std::int64_t h = h0 + row;
    float gradient = 0.0F;
    if (p.inside && h < s.maps_out) {
      gradient = out.dy == nullptr ? 0.0F : out.dy[p.at(s.maps_out, h, s.dim)];
      gradient += out.dpooled == nullptr ? 0.0F : out.dpooled[p.sample * s.maps_out + h];
    }
    tile[row * Fp32Product::kStride + column] = gradient;
  }
}

}  // namespace rallrec::kernels::gpu
