#include "kernels/embedding_pool.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/embedding_pool_cpu.h"
#include "kernels/no_cuda.h"

namespace rallrec::kernels {

void embedding_pool(const Queue& queue, Pooling pooling, std::int64_t sequences,
                    const std::int64_t* offsets, std::int64_t columns, const float* x, float* y) {
  require_cpu(queue, "embedding_pool");
  for (std::int64_t s = 0; s < sequences; ++s) {
    RALLREC_CHECK(offsets[s] >= 0 && offsets[s] < offsets[s + 1],
                  "embedding_pool: a sequence is empty");
  }
  parallel_for(sequences, 1, [&](std::int64_t begin, std::int64_t end) {
    if (pooling == Pooling::kMean) {
      detail::pool_mean_cpu(offsets, columns, x, begin, end, y);
    } else {
      detail::pool_last_cpu(offsets, columns, x, begin, end, y);
    }
  });
}

}  // namespace rallrec::kernels
