#include "core/launch.h"
#include "kernels/gpu/tile_product.cuh"
#include "kernels/vocabulary_head_gpu.h"

namespace rallrec::kernels::detail {
namespace {

using gpu::Fp32Product;
using gpu::kTile;
using gpu::kTileSums;
using gpu::kTileThreads;

static_assert(kHeadRows <= kTile, "a chunk of rows is one tile");

constexpr int kThreads = 256;
// Rows of the head that a block turns into gradients.
constexpr int kSoftmaxRows = 16;
// Threads that share a column of a block's logits, whatever the number of columns: the order of a
// row's sums must not depend on the rows beside it.
constexpr int kStrips = 8;
constexpr int kStatisticsThreads = kStrips * kTile;

// A chunk of rows on its way over the part, as on the CPU: logits lie transposed.
struct Chunk {
  std::int64_t vocabulary;
  std::int64_t hidden;
  std::int64_t first_block;
  std::int64_t first_row;  // of the part
  std::int64_t part_rows;
  std::int64_t block_rows;  // of a vocabulary block but the last ones
  int rows;
  int width;
  const std::int64_t* labels;
  float* logits;

  // The part's rows of its block b, counted from first_row.
  __device__ std::int64_t begin_of(std::int64_t b) const {
    return min((first_block + b) * block_rows, vocabulary) - first_row;
  }
};

// Block t: 64 rows of the head with all rows of the chunk.
template <typename Stored>
__global__ void __launch_bounds__(kTileThreads)
    head_logits_kernel(Chunk chunk, const Stored* head, const float* x) {
  __shared__ float tile_w[kTile * Fp32Product::kStride];
  __shared__ float tile_x[kTile * Fp32Product::kStride];
  const std::int64_t first = std::int64_t{blockIdx.x} * kTile;
  float sums[kTileSums];
  gpu::multiply_rows<Fp32Product>(
      sums, gpu::StoredSource<Stored>{head, first, chunk.part_rows - first, chunk.hidden},
      gpu::TileSource{x, 0, chunk.rows, chunk.hidden}, tile_w, tile_x);
#pragma unroll
  for (int k = 0; k < kTileSums; ++k) {
    const std::int64_t v = first + Fp32Product::row(k);
    const int i = Fp32Product::column(k);
    if (v < chunk.part_rows && i < chunk.width) {
      chunk.logits[v * chunk.width + i] = sums[k];
    }
  }
}

// Block b: the statistics of the part's block b. Eight threads share a column, every eighth row
// each; their shares are joined in order.
__global__ void __launch_bounds__(kStatisticsThreads)
    head_statistics_kernel(Chunk chunk, float* statistics) {
  __shared__ float shares[kStrips][kTile];
  const int i = static_cast<int>(threadIdx.x) % kTile;
  const int strip = static_cast<int>(threadIdx.x) / kTile;
  const bool inside = i < chunk.width;
  const std::int64_t begin = chunk.begin_of(blockIdx.x);
  const std::int64_t end = inside ? chunk.begin_of(blockIdx.x + 1) : begin;
  float largest = -INFINITY;
  for (std::int64_t v = begin + strip; v < end; v += kStrips) {
    largest = fmaxf(largest, chunk.logits[v * chunk.width + i]);
  }
  shares[strip][i] = largest;
  __syncthreads();
  for (int s = 0; s < kStrips; ++s) {
    largest = fmaxf(largest, shares[s][i]);
  }
  __syncthreads();
  float sum = 0.0F;
  for (std::int64_t v = begin + strip; v < end; v += kStrips) {
    sum += expf(chunk.logits[v * chunk.width + i] - largest);
  }
  shares[strip][i] = sum;
  __syncthreads();
  if (!inside || strip != 0) {
    return;
  }
  sum = 0.0F;
  for (int s = 0; s < kStrips; ++s) {
    sum += shares[s][i];
  }
  const std::int64_t label = i < chunk.rows ? chunk.labels[i] - chunk.first_row : -1;
  float* target = statistics + std::int64_t{blockIdx.x} * kHeadStatistics * chunk.width + i;
  target[0] = largest;
  target[chunk.width] = sum;
  target[2 * chunk.width] =
      label >= begin && label < end ? chunk.logits[label * chunk.width + i] : 0.0F;
}

// A thread per row of the chunk.
__global__ void __launch_bounds__(kTile)
    head_combine_kernel(std::int64_t vocabulary, std::int64_t block_rows, int rows, int width,
                        const float* statistics, const std::int64_t* labels, float* losses,
                        float* lse) {
  const int i = static_cast<int>(threadIdx.x);
  if (i >= width) {
    return;
  }
  if (i >= rows) {
    lse[i] = 0.0F;
    return;
  }
  const auto of = [&](std::int64_t block, std::int64_t which) {
    return statistics[(block * kHeadStatistics + which) * width + i];
  };
  double largest = -INFINITY;
  for (std::int64_t block = 0; block < kVocabularyBlocks; ++block) {
    largest = fmax(largest, static_cast<double>(of(block, 0)));
  }
  double sum = 0.0;
  for (std::int64_t block = 0; block < kVocabularyBlocks; ++block) {
    sum += of(block, 1) * exp(of(block, 0) - largest);
  }
  const double total = largest + log(sum);
  const bool known = labels[i] >= 0 && labels[i] < vocabulary;
  lse[i] = static_cast<float>(total);
  losses[i] = known ? static_cast<float>(total - of(labels[i] / block_rows, 2)) : NAN;
}

// z = loss_scale · (exp(z - lse) - [v is the label]), in place. A thread has a column and, of 16
// rows of the head, every fourth.
__global__ void __launch_bounds__(kThreads)
    head_softmax_kernel(Chunk chunk, const float* lse, float loss_scale) {
  const int i = static_cast<int>(threadIdx.x) % kTile;
  if (i >= chunk.width) {
    return;
  }
  const float shift = lse[i];
  const std::int64_t label = i < chunk.rows ? chunk.labels[i] - chunk.first_row : -1;
  const std::int64_t first = std::int64_t{blockIdx.x} * kSoftmaxRows + threadIdx.x / kTile;
#pragma unroll
  for (int r = 0; r < kSoftmaxRows; r += kThreads / kTile) {
    const std::int64_t v = first + r;
    if (v < chunk.part_rows) {
      float* z = chunk.logits + v * chunk.width + i;
      const float probability = loss_scale * expf(*z - shift);
      *z = v == label ? probability - loss_scale : probability;
    }
  }
}

// tile[i, v] = the gradient of logit v0 + v of row i; 0 beyond either end.
__device__ void stage_gradients(float* tile, const Chunk& chunk, std::int64_t v0,
                                std::int64_t end) {
  const int i = static_cast<int>(threadIdx.x) % kTile;
  for (int v = static_cast<int>(threadIdx.x) / kTile; v < kTile; v += kTileThreads / kTile) {
    const bool inside = i < chunk.rows && v0 + v < end;
    tile[i * Fp32Product::kStride + v] = inside ? chunk.logits[(v0 + v) * chunk.width + i] : 0.0F;
  }
}

// Block (k, b): 64 columns of the input gradient from the part's block b. partials: [blocks, rows,
// hidden].
template <typename Stored>
__global__ void __launch_bounds__(kTileThreads)
    head_gradient_kernel(Chunk chunk, const Stored* head, float* partials) {
  __shared__ float gradients[kTile * Fp32Product::kStride];
  __shared__ float tile_w[kTile * Fp32Product::kStride];
  const std::int64_t column = std::int64_t{blockIdx.x} * kTile;
  const std::int64_t end = chunk.begin_of(blockIdx.y + 1);
  float sums[kTileSums] = {};
  for (std::int64_t v = chunk.begin_of(blockIdx.y); v < end; v += kTile) {
    stage_gradients(gradients, chunk, v, end);
    Fp32Product::stage(tile_w, gpu::StoredSource<Stored>{head, v, end - v, chunk.hidden}, column);
    __syncthreads();
    Fp32Product::add(sums, gradients, tile_w);
    __syncthreads();
  }
  float* partial = partials + std::int64_t{blockIdx.y} * chunk.rows * chunk.hidden;
#pragma unroll
  for (int k = 0; k < kTileSums; ++k) {
    const int i = Fp32Product::row(k);
    const std::int64_t c = column + Fp32Product::column(k);
    if (i < chunk.rows && c < chunk.hidden) {
      partial[i * chunk.hidden + c] = sums[k];
    }
  }
}

Chunk chunk_of(const HeadPart& part, std::int64_t rows, const std::int64_t* labels, float* logits) {
  return {part.vocabulary,
          part.hidden,
          part.first_block,
          part.first_row(),
          part.rows(),
          vocabulary_block_begin(part.vocabulary, 1),
          static_cast<int>(rows),
          static_cast<int>(head_width(rows)),
          labels,
          logits};
}

}  // namespace

void head_logits_gpu(const Queue& queue, const HeadPart& part, std::int64_t rows, const float* x,
                     const std::int64_t* labels, float* logits, float* statistics) {
  const cudaStream_t stream = stream_of(queue);
  const Chunk chunk = chunk_of(part, rows, labels, logits);
  const dim3 tiles(blocks_for(chunk.part_rows, kTile));
  if (part.fp32 != nullptr) {
    launch(&head_logits_kernel<float>, tiles, dim3(kTileThreads), 0, stream, chunk, part.fp32, x);
  } else {
    launch(&head_logits_kernel<std::uint16_t>, tiles, dim3(kTileThreads), 0, stream, chunk,
           part.bf16, x);
  }
  if (statistics != nullptr) {
    launch(&head_statistics_kernel, dim3(static_cast<unsigned>(part.blocks())),
           dim3(kStatisticsThreads), 0, stream, chunk, statistics);
  }
}

void combine_head_statistics_gpu(const Queue& queue, std::int64_t vocabulary, std::int64_t rows,
                                 const float* statistics, const std::int64_t* labels, float* losses,
                                 float* lse) {
  launch(&head_combine_kernel, dim3(1), dim3(kTile), 0, stream_of(queue), vocabulary,
         vocabulary_block_begin(vocabulary, 1), static_cast<int>(rows),
         static_cast<int>(head_width(rows)), statistics, labels, losses, lse);
}

void head_gradient_gpu(const Queue& queue, const HeadPart& part, std::int64_t rows,
                       const std::int64_t* labels, const float* lse, float loss_scale,
                       float* logits, float* partials) {
  const cudaStream_t stream = stream_of(queue);
  const Chunk chunk = chunk_of(part, rows, labels, logits);
  launch(&head_softmax_kernel, dim3(blocks_for(chunk.part_rows, kSoftmaxRows)), dim3(kThreads), 0,
         stream, chunk, lse, loss_scale);
  const dim3 grid(blocks_for(chunk.hidden, kTile), static_cast<unsigned>(part.blocks()));
  if (part.fp32 != nullptr) {
    launch(&head_gradient_kernel<float>, grid, dim3(kTileThreads), 0, stream, chunk, part.fp32,
           partials);
  } else {
    launch(&head_gradient_kernel<std::uint16_t>, grid, dim3(kTileThreads), 0, stream, chunk,
           part.bf16, partials);
  }
}

}  // namespace rallrec::kernels::detail
