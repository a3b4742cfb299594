#include <algorithm>

#include "core/cuda_handle.h"
#include "core/launch.h"
#include "kernels/gpu/instructions.cuh"
#include "kernels/gpu/warp.cuh"
#include "kernels/nearest_rows_gpu.h"
#include "kernels/similarity_gpu.h"

namespace rallrec::kernels::detail {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / gpu::kWarp;
// Rows of the table that should be multiplied at once with as many queries as that permits.
constexpr std::int64_t kRowsAtOnce = 1024;

const char* const kSetting = "the number of queries";

struct Candidate {
  float score;
  std::int32_t row;  // -1 = none
};

// Whether a comes first: the larger score, then the smaller row.
__device__ bool before(const Candidate& a, const Candidate& b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

__device__ Candidate first_of(const Candidate& a, const Candidate& b) {
  return b.row >= 0 && (a.row < 0 || before(b, a)) ? b : a;
}

// The first of the block's candidates, in every thread. `shared` is for kWarps of them.
__device__ Candidate first_of_block(Candidate mine, Candidate* shared) {
  for (int step = gpu::kWarp / 2; step > 0; step /= 2) {
    const Candidate other{__shfl_xor_sync(gpu::kAllLanes, mine.score, step),
                          __shfl_xor_sync(gpu::kAllLanes, mine.row, step)};
    mine = first_of(mine, other);
  }
  if (threadIdx.x % gpu::kWarp == 0) {
    shared[threadIdx.x / gpu::kWarp] = mine;
  }
  __syncthreads();
  Candidate first = shared[0];
  for (int warp = 1; warp < kWarps; ++warp) {
    first = first_of(first, shared[warp]);
  }
  __syncthreads();
  return first;
}

// Products of a query with rows [first, first + count) of the table.
struct Products {
  float* values;
  std::int64_t first;
  std::int64_t count;
};

// The first candidate behind `last` in the order.
__device__ Candidate next_candidate(const Products& products, const Candidate& last,
                                    Candidate* shared) {
  Candidate mine{0.0F, -1};
  for (std::int64_t i = threadIdx.x; i < products.count; i += kThreads) {
    const Candidate one{products.values[i], static_cast<std::int32_t>(products.first + i)};
    // Neither NaN nor -inf is more than -inf.
    if (one.score > -INFINITY && before(last, one)) {
      mine = first_of(mine, one);
    }
  }
  return first_of_block(mine, shared);
}

__device__ void leave_out(const NearestTask& task, const Products& products) {
  const std::int64_t query = blockIdx.x;
  for (std::int64_t e = task.excluded_offsets[query] + threadIdx.x;
       e < task.excluded_offsets[query + 1]; e += kThreads) {
    const std::int64_t i = task.excluded[e] - products.first;
    if (i >= 0 && i < products.count) {
      products.values[i] = -INFINITY;
    }
  }
  __syncthreads();
}

// How many of a list, first to last and -1 behind, come before `one`.
__device__ int places_before(const Candidate* list, int count, const Candidate& one) {
  int low = 0;
  int high = count;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (list[middle].row >= 0 && before(list[middle], one)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

// A block per query: takes candidates from the products, best first, until none is good enough for
// the list that is there, then puts both lists in one order. Every list is sorted, so the place of
// an element is its own number and that of those before it in the other list.
__global__ void __launch_bounds__(kThreads)
    nearest_merge_kernel(NearestTask task, float* values, std::int64_t first, std::int64_t count,
                         std::int32_t* best, float* scores) {
  __shared__ Candidate of_warps[kWarps];
  const int k = static_cast<int>(task.k);
  auto* old = static_cast<Candidate*>(gpu::dynamic_shared());
  Candidate* fresh = old + k;
  best += blockIdx.x * task.k;
  scores += blockIdx.x * task.k;
  const Products products{values + blockIdx.x * count, first, count};
  for (int i = static_cast<int>(threadIdx.x); i < k; i += kThreads) {
    old[i] = first == 0 ? Candidate{0.0F, -1} : Candidate{scores[i], best[i]};
    fresh[i] = {0.0F, -1};
  }
  __syncthreads();
  if (task.excluded_offsets != nullptr) {
    leave_out(task, products);
  }
  Candidate last{INFINITY, -1};
  for (int n = 0; n < k; ++n) {
    last = next_candidate(products, last, of_warps);
    const Candidate rival = old[k - 1 - n];
    if (last.row < 0 || (rival.row >= 0 && before(rival, last))) {
      break;
    }
    if (threadIdx.x == 0) {
      fresh[n] = last;
    }
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x); i < 2 * k; i += kThreads) {
    const bool is_old = i < k;
    const Candidate one = old[i];
    const int place = one.row < 0 ? k
                      : is_old    ? i + places_before(fresh, k, one)
                                  : i - k + places_before(old, k, one);
    if (place < k) {
      best[place] = one.row;
      scores[place] = one.score;
    }
  }
}

__global__ void __launch_bounds__(kThreads)
    nearest_clear_kernel(std::int64_t count, std::int32_t* best, float* scores) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i < count) {
    best[i] = -1;
    scores[i] = 0.0F;
  }
}

void search(const Queue& queue, const NearestTask& task, std::int32_t* best, float* scores) {
  const std::int64_t block =
      std::min(task.rows, std::max(task.most_products / task.query_count, std::int64_t{1}));
  const CudaScratch<float> products(stream_of(queue), block * task.query_count + 1, kSetting);
  for (std::int64_t first = 0; first < task.rows; first += block) {
    const std::int64_t count = std::min(block, task.rows - first);
    similarity_gpu(queue, task.queries, task.query_count, task.table + first * task.width, count,
                   task.width, products.get());
    launch(&nearest_merge_kernel, dim3(static_cast<unsigned>(task.query_count)), dim3(kThreads),
           2 * static_cast<std::size_t>(task.k) * sizeof(Candidate), stream_of(queue), task,
           products.get(), first, count, best, scores);
  }
}

}  // namespace

void nearest_rows_gpu(const Queue& queue, const NearestTask& task, std::int32_t* best,
                      float* scores) {
  launch(&nearest_clear_kernel, dim3(blocks_for(task.query_count * task.k, kThreads)),
         dim3(kThreads), 0, stream_of(queue), task.query_count * task.k, best, scores);
  const std::int64_t most = std::max(task.most_products / kRowsAtOnce, std::int64_t{1});
  for (std::int64_t first = 0; first < task.query_count; first += most) {
    NearestTask some = task;
    some.queries += first * task.width;
    some.query_count = std::min(most, task.query_count - first);
    if (some.excluded_offsets != nullptr) {
      some.excluded_offsets += first;
    }
    search(queue, some, best + first * task.k, scores + first * task.k);
  }
}

}  // namespace rallrec::kernels::detail
