#include "kernels/fm_interaction.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/fm_interaction_cpu.h"
#include "kernels/fm_interaction_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kSamplesPerThread = 64;

bool has_values(const FmShape& shape) {
  RALLREC_CHECK(shape.batch >= 0 && shape.fields >= 0 && shape.dim >= 0,
                "fm_interaction: negative size");
  return shape.batch > 0 && shape.fields > 0 && shape.dim > 0;
}

}  // namespace

void fm_interaction(const Queue& queue, const FmShape& shape, const float* v, float* y) {
  RALLREC_CHECK(!has_values(shape) || v != nullptr, "fm_interaction: null input");
  RALLREC_CHECK(shape.batch == 0 || y != nullptr, "fm_interaction: null result");
  const detail::FmArguments arguments{shape, v, y};
  if (queue.device == Device::kCuda) {
    detail::fm_interaction_gpu(queue, arguments);
    return;
  }
  parallel_for(shape.batch, kSamplesPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::fm_interaction_cpu(arguments, begin, end);
  });
}

void fm_interaction_backward(const Queue& queue, const FmShape& shape, const float* v,
                             const float* dy, float* dv) {
  if (!has_values(shape)) {
    return;
  }
  RALLREC_CHECK(v != nullptr && dy != nullptr && dv != nullptr,
                "fm_interaction_backward: null input or result");
  const detail::FmBackwardArguments arguments{shape, v, dy, dv};
  if (queue.device == Device::kCuda) {
    detail::fm_interaction_backward_gpu(queue, arguments);
    return;
  }
  parallel_for(shape.batch, kSamplesPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::fm_interaction_backward_cpu(arguments, begin, end);
  });
}

}  // namespace rallrec::kernels
