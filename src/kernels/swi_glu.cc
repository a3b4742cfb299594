#include "kernels/swi_glu.h"

#include "core/check.h"
#include "kernels/swi_glu_cpu.h"
#include "kernels/swi_glu_gpu.h"
#include "kernels/vector_blocks.h"

namespace rallrec::kernels {

void swi_glu(const Queue& queue, std::int64_t count, const float* gate, const float* up, float* y) {
  if (queue.device == Device::kCuda) {
    detail::swi_glu_gpu(queue, count, gate, up, y);
    return;
  }
  for_vector_blocks(count, [&](std::int64_t begin, std::int64_t end) {
    detail::swi_glu_cpu(gate, up, y, begin, end);
  });
}

void swi_glu_backward(const Queue& queue, std::int64_t count, const float* gate, const float* up,
                      const float* dy, float* d_gate, float* d_up) {
  if (queue.device == Device::kCuda) {
    detail::swi_glu_backward_gpu(queue, count, gate, up, dy, d_gate, d_up);
    return;
  }
  for_vector_blocks(count, [&](std::int64_t begin, std::int64_t end) {
    detail::swi_glu_backward_cpu(gate, up, dy, d_gate, d_up, begin, end);
  });
}

}  // namespace rallrec::kernels
