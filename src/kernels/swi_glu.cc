#include "kernels/swi_glu.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/swi_glu_cpu.h"
#include "kernels/swi_glu_gpu.h"

namespace rallrec::kernels {
namespace {

// Blocks of whole vectors: the last elements of a range go through another code path than the rest,
// so ranges must not end where the number of threads says.
constexpr std::int64_t kBlock = 4096;

template <typename Body>
void for_blocks(std::int64_t count, const Body& body) {
  parallel_for((count + kBlock - 1) / kBlock, 2, [&](std::int64_t begin, std::int64_t end) {
    body(begin * kBlock, std::min(end * kBlock, count));
  });
}

}  // namespace

void swi_glu(const Queue& queue, std::int64_t count, const float* gate, const float* up, float* y) {
  if (queue.device == Device::kCuda) {
    detail::swi_glu_gpu(queue, count, gate, up, y);
    return;
  }
  for_blocks(count, [&](std::int64_t begin, std::int64_t end) {
    detail::swi_glu_cpu(gate, up, y, begin, end);
  });
}

void swi_glu_backward(const Queue& queue, std::int64_t count, const float* gate, const float* up,
                      const float* dy, float* d_gate, float* d_up) {
  if (queue.device == Device::kCuda) {
    detail::swi_glu_backward_gpu(queue, count, gate, up, dy, d_gate, d_up);
    return;
  }
  for_blocks(count, [&](std::int64_t begin, std::int64_t end) {
    detail::swi_glu_backward_cpu(gate, up, dy, d_gate, d_up, begin, end);
  });
}

}  // namespace rallrec::kernels
