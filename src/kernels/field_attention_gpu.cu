#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/field_attention_gpu.h"
#include "kernels/gpu/instructions.cuh"
#include "kernels/gpu/warp_rows.cuh"

namespace rallrec::kernels::detail {
namespace {

constexpr int kWarps = 4;
constexpr int kThreads = kWarps * gpu::kWarp;
constexpr std::size_t kSharedBytes = 48 * 1024;

const char* const kSetting = "baseline.block_size";

// Rows of a matrix in shared or in global memory.
struct Rows {
  const float* data;
  std::int64_t stride;

  __device__ const float* row(int i) const { return data + i * stride; }
};

// One head of one sample, a warp's work.
struct Head {
  std::int64_t number;  // sample · heads + head
  std::int64_t matrix;  // its first element in q, k and v
  std::int64_t values;  // and in y
  int fields;
  int size;
  int lane;
};

__device__ Head head_of_warp(const FieldAttentionShape& s) {
  const std::int64_t number = gpu::warp_row<kWarps>();
  const std::int64_t sample = number / s.heads;
  const std::int64_t column = (number - sample * s.heads) * s.size;
  return {number,
          sample * s.fields * s.stride + column,
          sample * s.fields * s.heads * s.size + column,
          static_cast<int>(s.fields),
          static_cast<int>(s.size),
          gpu::lane_of_warp()};
}

// Shared memory of a warp, given out piece by piece. Rows get an odd stride, so that lanes that
// read one column of neighbouring rows are in different banks.
struct Pieces {
  float* next;

  __device__ float* take(int rows, int columns) {
    float* piece = next;
    next += rows * (columns | 1);
    return piece;
  }
};

__device__ Rows staged(const Head& head, int columns, const Rows& from, Pieces& pieces) {
  float* to = pieces.take(head.fields, columns);
  for (int i = head.lane; i < head.fields * columns; i += gpu::kWarp) {
    to[i / columns * (columns | 1) + i % columns] = from.row(i / columns)[i % columns];
  }
  return {to, columns | 1};
}

// <a, b> over a head's columns.
__device__ float dot(const float* a, const float* b, int size) {
  float sum = 0.0F;
  for (int d = 0; d < size; ++d) {
    sum += a[d] * b[d];
  }
  return sum;
}

// Σ_r weights[r · step] · rows[r, c]
__device__ float weighted_sum(const float* weights, std::int64_t step, const Rows& rows, int count,
                              int c) {
  float sum = 0.0F;
  for (int r = 0; r < count; ++r) {
    sum += weights[r * step] * rows.row(r)[c];
  }
  return sum;
}

__device__ void softmax(float* x, int count) {
  float largest = x[0];
  for (int j = 1; j < count; ++j) {
    largest = fmaxf(largest, x[j]);
  }
  float sum = 0.0F;
  for (int j = 0; j < count; ++j) {
    x[j] = expf(x[j] - largest);
    sum += x[j];
  }
  const float factor = 1.0F / sum;
  for (int j = 0; j < count; ++j) {
    x[j] *= factor;
  }
}

// Lanes share the pairs of fields, then the rows, then the elements of y. Where a head does not fit
// in shared memory it is read from where it lies, and its weights are made in place.
template <bool kStaged>
__global__ void __launch_bounds__(kThreads)
    field_attention_kernel(FieldAttentionArguments a, int floats_per_warp) {
  const Head head = head_of_warp(a.shape);
  if (head.number >= a.shape.batch * a.shape.heads) {
    return;  // a whole warp
  }
  const int m = head.fields;
  Rows q{a.in.q + head.matrix, a.shape.stride};
  Rows k{a.in.k + head.matrix, a.shape.stride};
  Rows v{a.in.v + head.matrix, a.shape.stride};
  float* weights = a.weights + head.number * m * m;
  float* scores = weights;
  std::int64_t stride = m;
  if (kStaged) {
    Pieces pieces{static_cast<float*>(gpu::dynamic_shared()) +
                  static_cast<int>(threadIdx.x) / gpu::kWarp * floats_per_warp};
    q = staged(head, head.size, q, pieces);
    k = staged(head, head.size, k, pieces);
    v = staged(head, head.size, v, pieces);
    scores = pieces.take(m, m);
    stride = m | 1;
    __syncwarp();
  }
  for (int p = head.lane; p < m * m; p += gpu::kWarp) {
    scores[p / m * stride + p % m] = a.shape.scale * dot(q.row(p / m), k.row(p % m), head.size);
  }
  __syncwarp();
  for (int i = head.lane; i < m; i += gpu::kWarp) {
    softmax(scores + i * stride, m);
  }
  __syncwarp();
  float* y = a.y + head.values;
  for (int p = head.lane; p < m * head.size; p += gpu::kWarp) {
    const int i = p / head.size;
    const int c = p % head.size;
    y[i * a.shape.heads * head.size + c] = weighted_sum(scores + i * stride, 1, v, m, c);
  }
  if (kStaged) {
    for (int p = head.lane; p < m * m; p += gpu::kWarp) {
      weights[p] = scores[p / m * stride + p % m];
    }
  }
}

// ds: the gradients of the scores, in shared memory, or [fields, fields] of each head in `scratch`.
template <bool kStaged>
__global__ void __launch_bounds__(kThreads)
    field_attention_backward_kernel(FieldAttentionBackwardArguments a, int floats_per_warp,
                                    float* scratch) {
  const Head head = head_of_warp(a.shape);
  if (head.number >= a.shape.batch * a.shape.heads) {
    return;  // a whole warp
  }
  const int m = head.fields;
  Rows q{a.in.q + head.matrix, a.shape.stride};
  Rows k{a.in.k + head.matrix, a.shape.stride};
  Rows v{a.in.v + head.matrix, a.shape.stride};
  Rows dy{a.dy + head.values, a.shape.heads * a.shape.size};
  Rows weights{a.weights + head.number * m * m, m};
  float* ds = scratch + head.number * m * m;
  if (kStaged) {
    Pieces pieces{static_cast<float*>(gpu::dynamic_shared()) +
                  static_cast<int>(threadIdx.x) / gpu::kWarp * floats_per_warp};
    q = staged(head, head.size, q, pieces);
    k = staged(head, head.size, k, pieces);
    v = staged(head, head.size, v, pieces);
    dy = staged(head, head.size, dy, pieces);
    weights = staged(head, m, weights, pieces);
    ds = pieces.take(m, m);
    __syncwarp();
  }
  const std::int64_t stride = weights.stride;
  for (int p = head.lane; p < m * m; p += gpu::kWarp) {
    ds[p / m * stride + p % m] = dot(dy.row(p / m), v.row(p % m), head.size);
  }
  __syncwarp();
  for (int i = head.lane; i < m; i += gpu::kWarp) {
    float* row = ds + i * stride;
    const float mean = dot(weights.row(i), row, m);
    for (int j = 0; j < m; ++j) {
      row[j] = a.shape.scale * weights.row(i)[j] * (row[j] - mean);
    }
  }
  __syncwarp();
  for (int p = head.lane; p < m * head.size; p += gpu::kWarp) {
    const int i = p / head.size;
    const int c = p % head.size;
    const std::int64_t at = head.matrix + i * a.shape.stride + c;
    a.out.dq[at] = weighted_sum(ds + i * stride, 1, k, m, c);
    a.out.dk[at] = weighted_sum(ds + i, stride, q, m, c);
    a.out.dv[at] = weighted_sum(weights.data + i, stride, dy, m, c);
  }
}

// Floats of shared memory of a warp: `matrices` of [fields, size], `squares` of [fields, fields].
std::int64_t floats_of_warp(const FieldAttentionShape& s, int matrices, int squares) {
  return s.fields * (matrices * (s.size | 1) + squares * (s.fields | 1));
}

bool fits(std::int64_t floats) {
  return static_cast<std::size_t>(floats) * kWarps * sizeof(float) <= kSharedBytes;
}

dim3 grid_of(const FieldAttentionShape& s) { return dim3(blocks_for(s.batch * s.heads, kWarps)); }

}  // namespace

void field_attention_gpu(const Queue& queue, const FieldAttentionArguments& a) {
  const std::int64_t floats = floats_of_warp(a.shape, 3, 1);
  const bool shared = fits(floats);
  launch(shared ? &field_attention_kernel<true> : &field_attention_kernel<false>, grid_of(a.shape),
         dim3(kThreads), shared ? static_cast<std::size_t>(floats) * kWarps * sizeof(float) : 0,
         stream_of(queue), a, static_cast<int>(floats));
}

void field_attention_backward_gpu(const Queue& queue, const FieldAttentionBackwardArguments& a) {
  const std::int64_t floats = floats_of_warp(a.shape, 4, 2);
  if (fits(floats)) {
    launch(&field_attention_backward_kernel<true>, grid_of(a.shape), dim3(kThreads),
           static_cast<std::size_t>(floats) * kWarps * sizeof(float), stream_of(queue), a,
           static_cast<int>(floats), nullptr);
    return;
  }
  const CudaScratch<float> scratch(stream_of(queue), a.shape.batch * a.shape.pairs(), kSetting);
  launch(&field_attention_backward_kernel<false>, grid_of(a.shape), dim3(kThreads), 0,
         stream_of(queue), a, 0, scratch.get());
}

}  // namespace rallrec::kernels::detail
