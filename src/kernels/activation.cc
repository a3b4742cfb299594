#include "kernels/activation.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/activation_cpu.h"
#include "kernels/activation_gpu.h"

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

void activate(const Queue& queue, Activation activation, std::int64_t count, const float* x,
              float* y) {
  RALLREC_CHECK(count >= 0, "activate: negative size");
  RALLREC_CHECK(count == 0 || (x != nullptr && y != nullptr), "activate: null input or result");
  if (queue.device == Device::kCuda) {
    detail::activate_gpu(queue, activation, count, x, y);
    return;
  }
  for_blocks(count, [&](std::int64_t begin, std::int64_t end) {
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
  for_blocks(count, [&](std::int64_t begin, std::int64_t end) {
    detail::activate_backward_cpu(activation, x, dy, dx, begin, end);
  });
}

}  // namespace rallrec::kernels
