#pragma once

#include <cstdint>

#include "kernels/field_attention.h"

namespace rallrec::kernels::detail {

struct FieldAttentionArguments {
  FieldAttentionShape shape;
  FieldAttentionInput in;
  float* y;
  float* weights;
};

struct FieldAttentionBackwardArguments {
  FieldAttentionShape shape;
  FieldAttentionInput in;
  const float* weights;
  const float* dy;
  FieldAttentionGradients out;
};

// Samples [begin, end).
void field_attention_cpu(const FieldAttentionArguments& arguments, std::int64_t begin,
                         std::int64_t end);
void field_attention_backward_cpu(const FieldAttentionBackwardArguments& arguments,
                                  std::int64_t begin, std::int64_t end);

}  // namespace rallrec::kernels::detail
