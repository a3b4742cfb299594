#include <cmath>

#include "core/launch.h"
#include "kernels/attention_gpu.h"
#include "kernels/gpu/attention_heads.cuh"
#include "kernels/gpu/attention_tiles.cuh"
#include "kernels/gpu/instructions.cuh"
#include "kernels/gpu/warp_rows.cuh"

namespace rallrec::kernels::detail {
namespace {

using gpu::kSide;
using gpu::Part;

constexpr int kChunkFloats = gpu::kSideFloats<kSide / gpu::kRowStep>;

// Rows per thread of a block's own tile: 64 rows of up to 128 columns, 32 of more, so that the two
// operands which a block holds fit into the shared memory of every GPU.
template <int kTiles>
constexpr int kOwn = kTiles > 2 ? 2 : 4;

// What the gradients need of each query row besides its vectors.
struct RowValues {
  float lse[kSide];
  float delta[kSide];  // d_o · o
  int seen[kSide];     // 0 beyond the last row
};

// Two held operands, a chunk of 64 columns, a tile of weights, and the values of rows.
template <int kTiles>
constexpr std::size_t kSharedBytes = ((2 * kTiles + 1) * gpu::kSideFloats<kOwn<kTiles>> +
                                      kChunkFloats) *
                                         sizeof(float) +
                                     sizeof(RowValues);

template <int kTiles>
struct Shared {
  float* first;
  float* second;
  float* weights;
  float* chunk;
  RowValues* rows;

  __device__ Shared() : first(static_cast<float*>(gpu::dynamic_shared())) {
    constexpr int kOwnFloats = gpu::kSideFloats<kOwn<kTiles>>;
    second = first + kTiles * kOwnFloats;
    weights = second + kTiles * kOwnFloats;
    chunk = weights + kOwnFloats;
    rows = reinterpret_cast<RowValues*>(chunk + kChunkFloats);
  }
};

// The operands of one head of one sequence.
struct Operands {
  gpu::SequenceHead head;
  gpu::QueryRows<const float> q;
  gpu::QueryRows<const float> o;
  gpu::QueryRows<const float> d_o;
  gpu::KeyRows<const float> k;
  gpu::KeyRows<const float> v;

  __device__ Operands(const AttentionBackwardArguments& a, const AttentionSequence& sequence)
      : head(a.shape, sequence, 0),
        q(a.q, a.shape, head),
        o(a.o, a.shape, head),
        d_o(a.d_o, a.shape, head),
        k(nullptr, 0, a.k, a.shape, head),
        v(nullptr, 0, a.v, a.shape, head) {}
};

// The values of `count` rows from `first` on, a warp per row. Both kernels compute them, in one
// order: that is cheaper than to keep them in memory.
__device__ void stage_row_values(RowValues& values, const Operands& x, const float* lse, int first,
                                 int count, const gpu::RowAccess& access) {
  const int warp = static_cast<int>(threadIdx.x) / gpu::kWarp;
  for (int i = warp; i < count; i += gpu::kAttentionThreads / gpu::kWarp) {
    const int row = first + i;
    float delta = 0.0F;
    if (row < x.head.rows) {
      delta = access.fours ? gpu::row_dot<4>(x.o(row), x.d_o(row), access.width)
                           : gpu::row_dot<1>(x.o(row), x.d_o(row), access.width);
    }
    if (gpu::lane_of_warp() == 0) {
      values.delta[i] = delta;
      values.lse[i] = row < x.head.rows ? lse[x.q.vector(row)] : 0.0F;
      values.seen[i] = x.head.seen_by(row);
    }
  }
}

// One pair of a query row (by its number in `rows`) and a key, from its score and d_o · v. Returns
// the weight; `product` becomes the gradient of the score, before scaling.
__device__ float weight_and_gradient(const RowValues& rows, int row, int key, float score,
                                     float scale, float& product) {
  if (key >= rows.seen[row]) {
    product = 0.0F;
    return 0.0F;
  }
  const float weight = expf(score * scale - rows.lse[row]);
  product = weight * (product - rows.delta[row]) * scale;
  return weight;
}

template <int kRows>
__device__ void store_weights(const Part<kRows>& part, float* tile) {
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
#pragma unroll
    for (int j = 0; j < gpu::kColumnsPerThread; ++j) {
      tile[gpu::part_row(i) * gpu::kSideStride + gpu::score_column(j)] = part[i][j];
    }
  }
}

// Block (t, h): dq of a tile of query rows of key/value head h, over all keys that they see.
template <int kTiles>
__global__ void __launch_bounds__(gpu::kAttentionThreads, kTiles == 1 ? 2 : 1)
    attention_queries_kernel(AttentionBackwardArguments a, gpu::SequenceList list,
                             gpu::RowAccess access, float scale) {
  constexpr int kRows = kOwn<kTiles>;
  constexpr int kTileRows = kRows * gpu::kRowStep;
  const Shared<kTiles> shared;
  const gpu::SequenceTile place = gpu::tile_of_block(list);
  const Operands x(a, list.sequences[place.sequence]);
  const int first = place.tile * kTileRows;
  const int end = x.head.seen_by(min(first + kTileRows, x.head.rows) - 1);
  gpu::stage_wide<kRows, kTiles>(shared.first, x.q, first, access);
  gpu::stage_wide<kRows, kTiles>(shared.second, x.d_o, first, access);
  stage_row_values(*shared.rows, x, a.lse, first, kTileRows, access);
  Part<kRows> result[kTiles] = {};
  for (int key = 0; key < end; key += kSide) {
    Part<kRows> products;
    Part<kRows> scores;
    gpu::multiply_held<kRows, kTiles>(products, shared.second, shared.chunk, x.v, key, access);
    gpu::multiply_held<kRows, kTiles>(scores, shared.first, shared.chunk, x.k, key, access);
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
#pragma unroll
      for (int j = 0; j < gpu::kColumnsPerThread; ++j) {
        weight_and_gradient(*shared.rows, gpu::part_row(i), key + gpu::score_column(j),
                            scores[i][j], scale, products[i][j]);
      }
    }
    store_weights<kRows>(products, shared.weights);
    gpu::add_results<true, kRows>(result, shared.weights, shared.chunk, x.k, key, access);
  }
  const gpu::QueryRows<float> gradients(a.gradients.dq, a.shape, x.head);
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const int row = first + gpu::part_row(i);
    if (row < x.head.rows) {
      gpu::store_result<kRows>(result, i, gradients(row), access);
    }
  }
}

// Block (t, h): dk and dv of a tile of keys of key/value head h, over all query rows that see any
// of them, in their order. Where none does, zeros.
template <int kTiles>
__global__ void __launch_bounds__(gpu::kAttentionThreads, kTiles == 1 ? 2 : 1)
    attention_keys_kernel(AttentionBackwardArguments a, gpu::SequenceList list,
                          gpu::RowAccess access, float scale) {
  constexpr int kRows = kOwn<kTiles>;
  const Shared<kTiles> shared;
  const gpu::SequenceTile place = gpu::tile_of_block(list);
  const Operands x(a, list.sequences[place.sequence]);
  const int first = place.tile * kRows * gpu::kRowStep;
  gpu::stage_wide<kRows, kTiles>(shared.first, x.k, first, access);
  gpu::stage_wide<kRows, kTiles>(shared.second, x.v, first, access);
  Part<kRows> dk[kTiles] = {};
  Part<kRows> dv[kTiles] = {};
  for (int row = x.head.first_row_that_sees(first) / kSide * kSide; row < x.head.rows;
       row += kSide) {
    stage_row_values(*shared.rows, x, a.lse, row, kSide, access);
    Part<kRows> scores;
    Part<kRows> products;
    gpu::multiply_held<kRows, kTiles>(scores, shared.first, shared.chunk, x.q, row, access);
    gpu::multiply_held<kRows, kTiles>(products, shared.second, shared.chunk, x.d_o, row, access);
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
#pragma unroll
      for (int j = 0; j < gpu::kColumnsPerThread; ++j) {
        scores[i][j] =
            weight_and_gradient(*shared.rows, gpu::score_column(j), first + gpu::part_row(i),
                                scores[i][j], scale, products[i][j]);
      }
    }
    store_weights<kRows>(scores, shared.weights);
    gpu::add_results<true, kRows>(dv, shared.weights, shared.chunk, x.d_o, row, access);
    store_weights<kRows>(products, shared.weights);
    gpu::add_results<false, kRows>(dk, shared.weights, shared.chunk, x.q, row, access);
  }
  const gpu::KeyRows<float> keys(nullptr, 0, a.gradients.dk, a.shape, x.head);
  const gpu::KeyRows<float> values(nullptr, 0, a.gradients.dv, a.shape, x.head);
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const int key = first + gpu::part_row(i);
    if (key < x.head.keys) {
      gpu::store_result<kRows>(dk, i, keys(key), access);
      gpu::store_result<kRows>(dv, i, values(key), access);
    }
  }
}

template <int kTiles>
void enqueue(const Queue& queue, const AttentionBackwardArguments& a,
             const std::vector<AttentionSequence>& sequences) {
  constexpr std::int64_t kTileRows = kOwn<kTiles> * gpu::kRowStep;
  const std::int64_t d = a.shape.head_dim;
  const std::int64_t group = a.shape.heads / a.shape.kv_heads;
  const AttentionGradients& g = a.gradients;
  const gpu::RowAccess access{static_cast<int>(d),
                              gpu::in_fours(d, a.q, a.k, a.v, a.o, a.d_o, g.dq, g.dk, g.dv)};
  const float scale = 1.0F / std::sqrt(static_cast<float>(d));
  const auto with = [&](auto* kernel) {
    return [&, kernel](const gpu::SequenceList& list, unsigned blocks) {
      launch(kernel, dim3(blocks, static_cast<unsigned>(a.shape.kv_heads)),
             dim3(gpu::kAttentionThreads), kSharedBytes<kTiles>, stream_of(queue), a, list, access,
             scale);
    };
  };
  gpu::for_each_list(
      sequences,
      [&](const AttentionSequence& s) { return blocks_for(s.queries * group, kTileRows); },
      with(&attention_queries_kernel<kTiles>));
  gpu::for_each_list(
      sequences, [&](const AttentionSequence& s) { return blocks_for(s.keys, kTileRows); },
      with(&attention_keys_kernel<kTiles>));
}

}  // namespace

void attention_backward_gpu(const Queue& queue, const AttentionBackwardArguments& arguments,
                            const std::vector<AttentionSequence>& sequences) {
  const std::int64_t d = arguments.shape.head_dim;
  const auto call = d <= kSide       ? &enqueue<1>
                    : d <= 2 * kSide ? &enqueue<2>
                                     : &enqueue<kMostAttentionWidth / kSide>;
  call(queue, arguments, sequences);
}

}  // namespace rallrec::kernels::detail
