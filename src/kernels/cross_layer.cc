#include "kernels/cross_layer.h"

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/cross_layer_cpu.h"
#include "kernels/cross_layer_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kRowsPerThread = 64;

void check_sizes(const CrossShape& shape) {
  RALLREC_CHECK(shape.batch >= 0 && shape.width >= 0, "cross_layer: negative size");
}

void backward_cpu(const detail::CrossBackwardArguments& arguments) {
  const std::int64_t batch = arguments.shape.batch;
  const std::int64_t width = arguments.shape.width;
  const std::int64_t parts = (batch + kCrossPart - 1) / kCrossPart;
  std::vector<float> sums(static_cast<std::size_t>(parts * 2 * width));
  parallel_for(parts, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t part = begin; part < end; ++part) {
      detail::cross_layer_backward_cpu(arguments, part * kCrossPart,
                                       std::min((part + 1) * kCrossPart, batch),
                                       sums.data() + part * 2 * width);
    }
  });
  std::fill_n(arguments.out.dw, width, 0.0F);
  std::fill_n(arguments.out.db, width, 0.0F);
  for (std::int64_t part = 0; part < parts; ++part) {
    const float* from = sums.data() + part * 2 * width;
    for (std::int64_t c = 0; c < width; ++c) {
      arguments.out.dw[c] += from[c];
      arguments.out.db[c] += from[width + c];
    }
  }
}

}  // namespace

void cross_layer(const Queue& queue, const CrossShape& shape, const CrossInput& input, float* y,
                 float* dots) {
  check_sizes(shape);
  RALLREC_CHECK(shape.batch == 0 || shape.width == 0 ||
                    (input.x0 != nullptr && input.x != nullptr && input.w != nullptr &&
                     input.b != nullptr && y != nullptr),
                "cross_layer: null input or result");
  const detail::CrossArguments arguments{shape, input, y, dots};
  if (queue.device == Device::kCuda) {
    detail::cross_layer_gpu(queue, arguments);
    return;
  }
  parallel_for(shape.batch, kRowsPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::cross_layer_cpu(arguments, begin, end);
  });
}

void cross_layer_backward(const Queue& queue, const CrossShape& shape,
                          const CrossBackwardInput& input, const CrossGradients& gradients) {
  check_sizes(shape);
  if (shape.width == 0) {
    return;
  }
  RALLREC_CHECK(gradients.dw != nullptr && gradients.db != nullptr,
                "cross_layer_backward: null result");
  RALLREC_CHECK(
      shape.batch == 0 || (input.x0 != nullptr && input.x != nullptr && input.w != nullptr &&
                           input.dots != nullptr && input.dy != nullptr &&
                           gradients.dx0 != nullptr && gradients.dx != nullptr),
      "cross_layer_backward: null input or result");
  const detail::CrossBackwardArguments arguments{shape, input, gradients};
  if (queue.device == Device::kCuda) {
    detail::cross_layer_backward_gpu(queue, arguments);
    return;
  }
  backward_cpu(arguments);
}

}  // namespace rallrec::kernels
