#include "kernels/activation.h"

#include "core/check.h"
#include "kernels/activation_cpu.h"
#include "kernels/activation_gpu.h"
#include "kernels/vector_blocks.h"

namespace rallrec::kernels {

void activate(const Queue& queue, Activation activation, std::int64_t count, const float* x,
              float* y) {
  RALLREC_CHECK(count >= 0, "activate: negative size");
  RALLREC_CHECK(count == 0 || (x != nullptr && y != nullptr), "activate: null input or result");
  if (queue.device == Device::kCuda) {
    detail::activate_gpu(queue, activation, count, x, y);
    return;
  }
  for_vector_blocks(count, [&](std::int64_t begin, std::int64_t end) {
    detail::activate_cpu(activation, x, y, begin, end);
  });
}

void activate_backward(const Queue& queue, Activation activation, std::int64_t count,
                       const float* x, const float* dy, float* dx) {
  RALLREC_CHECK(count >= 0, "activate_backward: negative size");
  RALLREC_CHECK(count == 0 || (x != nullptr && dy != nullptr && dx != nullptr),
                "activate_backward: null input or result");
  if (queue.device == Device::kCuda) {
    detail::activate_backward_gpu(queue, activation, count, x, dy, dx);
    return;
  }
  for_vector_blocks(count, [&](std::int64_t begin, std::int64_t end) {
    detail::activate_backward_cpu(activation, x, dy, dx, begin, end);
  });
}

}  // namespace rallrec::kernels
