#include "kernels/rope.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/rope_cpu.h"
#include "kernels/rope_gpu.h"

namespace rallrec::kernels {

void rope(const Queue& queue, std::int64_t tokens, std::int64_t heads, std::int64_t head_dim,
          const std::int64_t* positions, const float* cosines, const float* sines,
          RopeDirection direction, float* x) {
  RALLREC_CHECK(head_dim > 0 && head_dim % 2 == 0, "rope: head_dim must be even");
  const float sign = direction == RopeDirection::kForward ? 1.0F : -1.0F;
  const detail::RopeArguments arguments{heads, head_dim, positions, cosines, sines, sign, x};
  if (queue.device == Device::kCuda) {
    detail::rope_gpu(queue, tokens, arguments);
    return;
  }
  parallel_for(tokens, 16, [&](std::int64_t begin, std::int64_t end) {
    detail::rope_cpu(arguments, begin, end);
  });
}

}  // namespace rallrec::kernels
