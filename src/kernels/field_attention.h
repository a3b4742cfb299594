#pragma once

#include <cstdint>

#include "core/device.h"
#include "kernels/work.h"

namespace rallrec::kernels {

// Attention among the fields of a sample, head by head: the interacting layer of AutoInt (Song et
// al., CIKM 2019, eq. 5 to 7). With a = softmax over j of scale · <q_i, k_j>, field i of a head
// becomes
//   y_i = Σ_j a_ij v_j.
// The paper's scale is 1.
struct FieldAttentionShape {
  std::int64_t batch = 0;
  std::int64_t fields = 0;
  std::int64_t heads = 0;
  std::int64_t size = 0;    // columns of a head
  std::int64_t stride = 0;  // floats from a row of q, k or v to the next, at least width()
  float scale = 1.0F;

  std::int64_t width() const { return heads * size; }
  std::int64_t pairs() const { return heads * fields * fields; }
};

// Row b · fields + f of each holds field f of sample b, the heads side by side. The three may lie
// in one matrix, beside each other.
struct FieldAttentionInput {
  const float* q;
  const float* k;
  const float* v;
};

// y: fp32 [batch, fields, width()], contiguous; weights: fp32 [batch, heads, fields, fields], the
// a_ij for the backward pass. Neither overlaps an input. A sample's bits do not depend on the
// others. On a CUDA queue all pointers are device memory and the call only enqueues. Throws Error
// on a negative size, on 32768 fields or columns of a head, on a stride below width() or on null
// where there is something to read or write.
void field_attention(const Queue& queue, const FieldAttentionShape& shape,
                     const FieldAttentionInput& input, float* y, float* weights);

// Laid out as q, k and v.
struct FieldAttentionGradients {
  float* dq;
  float* dk;
  float* dv;
};

// With ds_ij = a_ij (<dy_i, v_j> - Σ_l a_il <dy_i, v_l>):
//   dq_i = scale Σ_j ds_ij k_j      dk_j = scale Σ_i ds_ij q_i      dv_j = Σ_i a_ij dy_i
// written over, in the same promise; no result overlaps an input.
void field_attention_backward(const Queue& queue, const FieldAttentionShape& shape,
                              const FieldAttentionInput& input, const float* weights,
                              const float* dy, const FieldAttentionGradients& gradients);

// An exponential counts as one operation.
inline Work field_attention_work(const FieldAttentionShape& s) {
  return {4 * s.batch * (4 * s.fields * s.width() + s.pairs()),
          s.batch * s.pairs() * (4 * s.size + 4)};
}

inline Work field_attention_backward_work(const FieldAttentionShape& s) {
  return {4 * s.batch * (7 * s.fields * s.width() + s.pairs()),
          s.batch * s.pairs() * (8 * s.size + 5)};
}

}  // namespace rallrec::kernels
