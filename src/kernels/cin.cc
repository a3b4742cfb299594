#include "kernels/cin.h"

#include <algorithm>

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/cin_cpu.h"
#include "kernels/cin_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kSamplesPerThread = 4;
// Columns of dw that one thread sums over the whole batch, a whole number of vectors.
constexpr std::int64_t kWeightColumns = 64;

void check_sizes(const CinShape& s) {
  RALLREC_CHECK(s.batch >= 0 && s.dim >= 0 && s.fields >= 0 && s.maps_in >= 0 && s.maps_out >= 0,
                "cin: negative size");
  // The GPU numbers what belongs to one sample with ints.
  constexpr std::int64_t kMost = std::int64_t{1} << 30;
  RALLREC_CHECK(s.pairs() < kMost && std::max({s.fields, s.maps_in, s.maps_out}) * s.dim < kMost,
                "cin: a sample with 2^30 values or more");
}

void check_input(const CinShape& s, const CinInput& input) {
  const bool any = s.batch > 0 && s.dim > 0;
  RALLREC_CHECK(!any || s.fields == 0 || input.x0 != nullptr, "cin: null x0");
  RALLREC_CHECK(!any || s.maps_in == 0 || input.x != nullptr, "cin: null x");
  RALLREC_CHECK(s.maps_out * s.pairs() == 0 || input.w != nullptr, "cin: null weights");
}

void check_gradients(const CinShape& s, const CinOutputGradients& output,
                     const CinGradients& gradients) {
  const bool any = s.batch > 0 && s.dim > 0;
  RALLREC_CHECK(!any || s.maps_out == 0 || output.dy != nullptr || output.dpooled != nullptr,
                "cin_backward: no gradient");
  RALLREC_CHECK(!any || s.fields == 0 || gradients.dx0 != nullptr, "cin_backward: null dx0");
  RALLREC_CHECK(!any || s.maps_in == 0 || gradients.dx != nullptr, "cin_backward: null dx");
  RALLREC_CHECK(s.maps_out * s.pairs() == 0 || gradients.dw != nullptr, "cin_backward: null dw");
}

}  // namespace

void cin(const Queue& queue, const CinShape& shape, const CinInput& input, float* y,
         float* pooled) {
  check_sizes(shape);
  check_input(shape, input);
  RALLREC_CHECK(shape.batch * shape.dim * shape.maps_out == 0 || y != nullptr, "cin: null result");
  const detail::CinArguments arguments{shape, input, y, pooled};
  if (queue.device == Device::kCuda) {
    detail::cin_gpu(queue, arguments);
    return;
  }
  parallel_for(shape.batch, kSamplesPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::cin_cpu(arguments, begin, end);
  });
}

void cin_backward(const Queue& queue, const CinShape& shape, const CinInput& input,
                  const CinOutputGradients& output, const CinGradients& gradients) {
  check_sizes(shape);
  check_input(shape, input);
  check_gradients(shape, output, gradients);
  const detail::CinBackwardArguments arguments{shape, input, output, gradients};
  if (queue.device == Device::kCuda) {
    detail::cin_backward_gpu(queue, arguments);
    return;
  }
  parallel_for(shape.batch, kSamplesPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::cin_input_gradients_cpu(arguments, begin, end);
  });
  const std::int64_t tasks = (shape.pairs() + kWeightColumns - 1) / kWeightColumns;
  parallel_for(tasks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t task = begin; task < end; ++task) {
      const std::int64_t first = task * kWeightColumns;
      detail::cin_weight_gradient_cpu(arguments, first,
                                      std::min(kWeightColumns, shape.pairs() - first));
    }
  });
}

}  // namespace rallrec::kernels
