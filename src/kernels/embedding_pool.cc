#include "kernels/embedding_pool.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/embedding_pool_cpu.h"
#include "kernels/embedding_pool_gpu.h"

namespace rallrec::kernels {

void embedding_pool(const Queue& queue, const PoolRule& rule, std::int64_t sequences,
                    const std::int64_t* offsets, std::int64_t columns, const PoolInput& input,
                    float* y) {
  RALLREC_CHECK(columns > 0, "embedding_pool: no columns");
  const detail::PoolArguments arguments{rule, offsets, columns, input, y};
  if (queue.device == Device::kCuda) {
    detail::embedding_pool_gpu(queue, sequences, arguments);
    return;
  }
  for (std::int64_t s = 0; s < sequences; ++s) {
    RALLREC_CHECK(offsets[s] >= 0 && offsets[s] < offsets[s + 1],
                  "embedding_pool: a sequence is empty");
  }
  parallel_for(sequences, 1, [&](std::int64_t begin, std::int64_t end) {
    detail::embedding_pool_cpu(arguments, begin, end);
  });
}

}  // namespace rallrec::kernels
