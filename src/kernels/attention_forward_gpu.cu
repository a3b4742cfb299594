#include <cmath>

#include "core/launch.h"
#include "kernels/attention_gpu.h"
#include "kernels/gpu/attention_heads.cuh"
#include "kernels/gpu/attention_tiles.cuh"
#include "kernels/gpu/instructions.cuh"

namespace rallrec::kernels::detail {
namespace {

using gpu::kSide;
using gpu::Part;

// Of a tile of 64 query rows.
constexpr int kRows = kSide / gpu::kRowStep;
constexpr int kTileFloats = gpu::kSideFloats<kRows>;

// The softmax of a thread's rows so far. `sum` is the thread's own part, over its columns; the
// maximum is the whole row's.
struct OnlineSoftmax {
  float maximum[kRows];
  float sum[kRows];
  int seen[kRows];

  __device__ OnlineSoftmax(const gpu::SequenceHead& head, int first) {
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      maximum[i] = -INFINITY;
      sum[i] = 0.0F;
      seen[i] = head.seen_by(first + gpu::part_row(i));
    }
  }

  // Takes in row i's scores of the keys from `key` on and makes weights of them, relative to the
  // maximum so far. Returns what older weights must be multiplied by: exactly 1 where the row sees
  // none of these keys, so that a row's bits do not depend on how far its tile goes.
  __device__ float take(int i, float (&scores)[gpu::kColumnsPerThread], int key, float scale) {
    float largest = -INFINITY;
#pragma unroll
    for (int j = 0; j < gpu::kColumnsPerThread; ++j) {
      const bool sees = key + gpu::score_column(j) < seen[i];
      scores[j] = sees ? scores[j] * scale : -INFINITY;
      largest = fmaxf(largest, scores[j]);
    }
    const float before = maximum[i];
    maximum[i] = fmaxf(before, gpu::max_of_row(largest));
    const float factor = before == maximum[i] ? 1.0F : expf(before - maximum[i]);
    sum[i] *= factor;
#pragma unroll
    for (int j = 0; j < gpu::kColumnsPerThread; ++j) {
      const bool sees = key + gpu::score_column(j) < seen[i];
      scores[j] = sees ? expf(scores[j] - maximum[i]) : 0.0F;
      sum[i] += scores[j];
    }
    return factor;
  }
};

// Scores of 64 keys become weights in shared memory; the result is brought to the new maximum.
template <int kTiles>
__device__ void take_scores(OnlineSoftmax& softmax, Part<kRows>& scores, int key, float scale,
                            float* weights, Part<kRows> (&result)[kTiles]) {
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const float factor = softmax.take(i, scores[i], key, scale);
#pragma unroll
    for (int j = 0; j < gpu::kColumnsPerThread; ++j) {
      weights[gpu::part_row(i) * gpu::kSideStride + gpu::score_column(j)] = scores[i][j];
    }
#pragma unroll
    for (int w = 0; w < kTiles; ++w) {
      for (float& value : result[w][i]) {
        value *= factor;
      }
    }
  }
}

// Block (t, h): 64 query rows of key/value head h of a sequence, with all keys that they see.
template <int kTiles>
__global__ void __launch_bounds__(gpu::kAttentionThreads, kTiles == 1 ? 2 : 1)
    attention_kernel(AttentionArguments a, gpu::SequenceList list, gpu::RowAccess access,
                     float scale) {
  auto* held = static_cast<float*>(gpu::dynamic_shared());
  float* chunk = held + kTiles * kTileFloats;
  float* weights = chunk + kTileFloats;
  const gpu::SequenceTile place = gpu::tile_of_block(list);
  const gpu::SequenceHead head(a.shape, list.sequences[place.sequence], a.prefix.rows);
  const gpu::QueryRows<const float> queries(a.q, a.shape, head);
  const gpu::KeyRows<const float> keys(a.prefix.k, a.prefix.rows, a.k, a.shape, head);
  const gpu::KeyRows<const float> values(a.prefix.v, a.prefix.rows, a.v, a.shape, head);
  const int first = place.tile * kSide;
  const int end = head.seen_by(min(first + kSide, head.rows) - 1);
  gpu::stage_wide<kRows, kTiles>(held, queries, first, access);
  OnlineSoftmax softmax(head, first);
  Part<kRows> result[kTiles] = {};
  for (int key = 0; key < end; key += kSide) {
    Part<kRows> scores;
    gpu::multiply_held<kRows, kTiles>(scores, held, chunk, keys, key, access);
    take_scores(softmax, scores, key, scale, weights, result);
    gpu::add_results<false, kRows>(result, weights, chunk, values, key, access);
  }
  const gpu::QueryRows<float> outputs(a.o, a.shape, head);
#pragma unroll
  for (int i = 0; i < kRows; ++i) {
    const int row = first + gpu::part_row(i);
    const float sum = gpu::sum_of_row(softmax.sum[i]);
    if (row < head.rows) {
      const float factor = sum > 0.0F ? 1.0F / sum : 0.0F;
#pragma unroll
      for (int w = 0; w < kTiles; ++w) {
        for (float& value : result[w][i]) {
          value *= factor;
        }
      }
      gpu::store_result<kRows>(result, i, outputs(row), access);
      if (a.lse != nullptr && gpu::lane_of_row() == 0) {
        a.lse[outputs.vector(row)] = softmax.maximum[i] + logf(sum);
      }
    }
  }
}

template <int kTiles>
void enqueue(const Queue& queue, const AttentionArguments& a,
             const std::vector<AttentionSequence>& sequences) {
  const std::int64_t d = a.shape.head_dim;
  const std::int64_t group = a.shape.heads / a.shape.kv_heads;
  const gpu::RowAccess access{static_cast<int>(d),
                              gpu::in_fours(d, a.q, a.k, a.v, a.prefix.k, a.prefix.v, a.o)};
  const float scale = 1.0F / std::sqrt(static_cast<float>(d));
  gpu::for_each_list(
      sequences, [&](const AttentionSequence& s) { return blocks_for(s.queries * group, kSide); },
      [&](const gpu::SequenceList& list, unsigned blocks) {
        launch(&attention_kernel<kTiles>, dim3(blocks, static_cast<unsigned>(a.shape.kv_heads)),
               dim3(gpu::kAttentionThreads), (kTiles + 2) * kTileFloats * sizeof(float),
               stream_of(queue), a, list, access, scale);
      });
}

}  // namespace

void attention_gpu(const Queue& queue, const AttentionArguments& arguments,
                   const std::vector<AttentionSequence>& sequences) {
  const std::int64_t d = arguments.shape.head_dim;
  const auto call = d <= kSide       ? &enqueue<1>
                    : d <= 2 * kSide ? &enqueue<2>
                                     : &enqueue<kMostAttentionWidth / kSide>;
  call(queue, arguments, sequences);
}

}  // namespace rallrec::kernels::detail
