#include <cuda_runtime.h>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/bpr_gpu.h"
#include "kernels/gpu/warp.cuh"

// Gradients go to the rows that triples name, and many triples name one row. Each occurrence of a
// row in a triple gets the number 3 * triple + role; the occurrences of a row are brought together
// with integer atomics alone, in whatever order, and one warp then adds them up in ascending order
// of their numbers: the order of the CPU, whatever order the atomics had.
//
//   triples   (u, p, n) (u', p, n') …        occurrences  0 1 2  3 4 5 …
//   rows      u: 0    p: 1 4    n: 2    u': 3    n': 5       counts, then starts, then numbers
namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / gpu::kWarp;

const char* const kSetting = "light_gcn.batch_size";

// The rows that a call is for, and their occurrences.
struct Segments {
  std::int64_t row_begin;
  std::int64_t rows;
  unsigned* total;   // occurrences placed so far
  unsigned* counts;  // [rows]
  unsigned* filled;  // [rows]
  unsigned* starts;  // [rows]
  unsigned* occurrences;
};

__device__ std::int64_t thread_number() {
  return std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
}

__device__ std::int64_t row_of(const BprBatch& batch, std::int64_t occurrence) {
  const std::int32_t* const roles[] = {batch.users, batch.positives, batch.negatives};
  return roles[occurrence % 3][occurrence / 3];
}

// The row of the call that an occurrence adds to, -1 where it is not one of the call's.
__device__ std::int64_t target_of(const Segments& s, const BprBatch& targets,
                                  std::int64_t occurrence) {
  const std::int64_t row = row_of(targets, occurrence) - s.row_begin;
  return row >= 0 && row < s.rows ? row : -1;
}

__global__ void __launch_bounds__(kThreads) count_kernel(Segments s, BprBatch targets) {
  const std::int64_t occurrence = thread_number();
  if (occurrence < 3 * targets.count) {
    const std::int64_t row = target_of(s, targets, occurrence);
    if (row >= 0) {
      atomicAdd(s.counts + row, 1U);
    }
  }
}

__global__ void __launch_bounds__(kThreads) place_kernel(Segments s) {
  const std::int64_t row = thread_number();
  if (row < s.rows && s.counts[row] > 0) {
    s.starts[row] = atomicAdd(s.total, s.counts[row]);
  }
}

__global__ void __launch_bounds__(kThreads) fill_kernel(Segments s, BprBatch targets) {
  const std::int64_t occurrence = thread_number();
  if (occurrence < 3 * targets.count) {
    const std::int64_t row = target_of(s, targets, occurrence);
    if (row >= 0) {
      s.occurrences[s.starts[row] + atomicAdd(s.filled + row, 1U)] =
          static_cast<unsigned>(occurrence);
    }
  }
}

// The smallest of the warp, in every lane.
__device__ unsigned warp_least(unsigned value) {
  for (int step = gpu::kWarp / 2; step > 0; step /= 2) {
    value = min(value, __shfl_xor_sync(gpu::kAllLanes, value, step));
  }
  return value;
}

// What one occurrence adds to element k of its row: factor(occurrence) * element(…, k).
struct SlopeTerm {
  const float* embeddings;
  std::int64_t width;
  BprBatch batch;
  const float* slopes;

  __device__ float factor(unsigned occurrence) const {
    const float slope = slopes[occurrence / 3];
    return occurrence % 3 == 2 ? -slope : slope;
  }
  __device__ float element(unsigned occurrence, std::int64_t k) const {
    const std::int64_t b = occurrence / 3;
    if (occurrence % 3 == 0) {
      return embeddings[batch.positives[b] * width + k] -
             embeddings[batch.negatives[b] * width + k];
    }
    return embeddings[batch.users[b] * width + k];
  }
};

struct NormTerm {
  const float* embeddings;
  std::int64_t width;
  BprBatch batch;
  double weight;
  const double* norms;

  __device__ float factor(unsigned occurrence) const {
    const double norm = norms[occurrence % 3];
    return static_cast<float>(weight * (norm > 0.0 ? 1.0 / norm : 0.0));
  }
  __device__ float element(unsigned occurrence, std::int64_t k) const {
    return embeddings[row_of(batch, occurrence) * width + k];
  }
};

// A warp per row. The next occurrence is the smallest number above the last one: a row's list is
// short, and sorting it would take memory.
template <typename Term>
__global__ void __launch_bounds__(kThreads)
    add_terms_kernel(Segments s, Term term, float* gradient) {
  constexpr unsigned kNone = 0xFFFFFFFFU;
  const std::int64_t row = std::int64_t{blockIdx.x} * kWarps + threadIdx.x / gpu::kWarp;
  const unsigned lane = threadIdx.x % gpu::kWarp;
  if (row >= s.rows || s.counts[row] == 0) {
    return;  // a whole warp
  }
  const unsigned* mine = s.occurrences + s.starts[row];
  const unsigned count = s.counts[row];
  float* target = gradient + row * term.width;
  unsigned next = 0;
  for (unsigned done = 0; done < count; ++done) {
    unsigned least = kNone;
    for (unsigned i = lane; i < count; i += gpu::kWarp) {
      least = mine[i] >= next ? min(least, mine[i]) : least;
    }
    const unsigned occurrence = warp_least(least);
    const float factor = term.factor(occurrence);
    for (std::int64_t k = lane; k < term.width; k += gpu::kWarp) {
      target[k] += factor * term.element(occurrence, k);
    }
    next = occurrence + 1;
  }
}

template <typename Term>
void add_terms(cudaStream_t stream, const BprTargets& targets, const Term& term, float* gradient) {
  const std::int64_t rows = targets.end - targets.begin;
  const std::int64_t occurrences = 3 * targets.rows.count;
  if (rows <= 0 || occurrences == 0) {
    return;
  }
  const CudaScratch<unsigned> scratch(stream, 1 + 3 * rows + occurrences, kSetting);
  Segments s{targets.begin, rows, scratch.get(), nullptr, nullptr, nullptr, nullptr};
  s.counts = s.total + 1;
  s.filled = s.counts + rows;
  s.starts = s.filled + rows;
  s.occurrences = s.starts + rows;
  const std::size_t zeros = static_cast<std::size_t>(1 + 2 * rows) * sizeof(unsigned);
  check_cuda(cudaMemsetAsync(s.total, 0, zeros, stream), "clearing counters");
  launch(&count_kernel, blocks_for(occurrences, kThreads), dim3(kThreads), 0, stream, s,
         targets.rows);
  launch(&place_kernel, blocks_for(rows, kThreads), dim3(kThreads), 0, stream, s);
  launch(&fill_kernel, blocks_for(occurrences, kThreads), dim3(kThreads), 0, stream, s,
         targets.rows);
  launch(&add_terms_kernel<Term>, blocks_for(rows, kWarps), dim3(kThreads), 0, stream, s, term,
         gradient);
}

}  // namespace

void bpr_add_gradient_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                          const BprBatch& batch, const float* slopes, const BprTargets& targets,
                          float* gradient) {
  add_terms(stream_of(queue), targets, SlopeTerm{embeddings, width, batch, slopes}, gradient);
}

void bpr_add_norm_gradient_gpu(const Queue& queue, const float* embeddings, std::int64_t width,
                               const BprBatch& batch, double weight, const double* norms,
                               const BprTargets& targets, float* gradient) {
  add_terms(stream_of(queue), targets, NormTerm{embeddings, width, batch, weight, norms}, gradient);
}

}  // namespace rallrec::kernels::detail
