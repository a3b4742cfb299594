#pragma once

#include "kernels/attention.h"

namespace rallrec::kernels::detail {

struct AttentionArguments {
  AttentionShape shape;
  AttentionPrefix prefix;
  const float* q;
  const float* k;
  const float* v;
  float* o;
  float* lse;
};

struct AttentionBackwardArguments {
  AttentionShape shape;
  const float* q;
  const float* k;
  const float* v;
  const float* o;
  const float* lse;
  const float* d_o;
  AttentionGradients gradients;
};

}  // namespace rallrec::kernels::detail
