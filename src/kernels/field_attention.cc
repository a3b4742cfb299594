#include "kernels/field_attention.h"

#include "core/check.h"
#include "core/parallel_for.h"
#include "kernels/field_attention_cpu.h"
#include "kernels/field_attention_gpu.h"

namespace rallrec::kernels {
namespace {

constexpr std::int64_t kSamplesPerThread = 16;
// Pairs of fields are numbered in 32 bits.
constexpr std::int64_t kMostFields = 32768;

// Whether there is anything to compute.
bool has_values(const FieldAttentionShape& s) {
  RALLREC_CHECK(s.batch >= 0 && s.fields >= 0 && s.heads >= 0 && s.size >= 0,
                "field_attention: negative size");
  RALLREC_CHECK(s.stride >= s.width(), "field_attention: the stride is below heads times size");
  RALLREC_CHECK(s.fields < kMostFields && s.size < kMostFields,
                "field_attention: more fields, or columns of a head, than 32767");
  return s.batch > 0 && s.fields > 0 && s.heads > 0;
}

void check_input(const FieldAttentionShape& s, const FieldAttentionInput& input) {
  RALLREC_CHECK(s.size == 0 || (input.q != nullptr && input.k != nullptr && input.v != nullptr),
                "field_attention: null input");
}

}  // namespace

void field_attention(const Queue& queue, const FieldAttentionShape& shape,
                     const FieldAttentionInput& input, float* y, float* weights) {
  if (!has_values(shape)) {
    return;
  }
  check_input(shape, input);
  RALLREC_CHECK(weights != nullptr && (shape.size == 0 || y != nullptr),
                "field_attention: null result");
  const detail::FieldAttentionArguments arguments{shape, input, y, weights};
  if (queue.device == Device::kCuda) {
    detail::field_attention_gpu(queue, arguments);
    return;
  }
  parallel_for(shape.batch, kSamplesPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::field_attention_cpu(arguments, begin, end);
  });
}

void field_attention_backward(const Queue& queue, const FieldAttentionShape& shape,
                              const FieldAttentionInput& input, const float* weights,
                              const float* dy, const FieldAttentionGradients& gradients) {
  if (!has_values(shape) || shape.size == 0) {
    return;
  }
  check_input(shape, input);
  RALLREC_CHECK(weights != nullptr && dy != nullptr, "field_attention_backward: null input");
  RALLREC_CHECK(gradients.dq != nullptr && gradients.dk != nullptr && gradients.dv != nullptr,
                "field_attention_backward: null result");
  const detail::FieldAttentionBackwardArguments arguments{shape, input, weights, dy, gradients};
  if (queue.device == Device::kCuda) {
    detail::field_attention_backward_gpu(queue, arguments);
    return;
  }
  parallel_for(shape.batch, kSamplesPerThread, [&](std::int64_t begin, std::int64_t end) {
    detail::field_attention_backward_cpu(arguments, begin, end);
  });
}

}  // namespace rallrec::kernels
