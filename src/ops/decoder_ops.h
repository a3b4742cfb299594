// The kernels of a decoder layer on rows. All memory is the queue's; results go into rows the
// caller gives, so a layer runs without allocating. On a CUDA queue the calls only enqueue.
// Errors: a shape that does not fit is a broken precondition (70).
#pragma once

#include <cstdint>
#include <vector>

#include "core/device.h"
#include "core/rows.h"
#include "kernels/attention.h"
#include "kernels/dropout.h"
#include "kernels/embedding_pool.h"
#include "kernels/rope.h"

namespace rallrec::ops {

// x, y of equal shape, weight [columns]; inverse_rms [rows, 1] or none.
void rms_norm(const Queue& queue, const Rows& x, const float* weight, double eps, const Rows& y,
              const Rows& inverse_rms);
// dx = residual + gradient; `residual` may be none; dx may be x, dy or residual.
void rms_norm_backward(const Queue& queue, const Rows& x, const float* weight,
                       const Rows& inverse_rms, const Rows& dy, const Rows& residual,
                       const Rows& dx);

// y [sequences, columns] = the mean of each sequence's rows of x [tokens, columns], or the last
// one; rows go through rms_norm on the way. offsets [sequences + 1] in the queue's memory.
void embedding_pool(const Queue& queue, kernels::Pooling pooling, const std::int64_t* offsets,
                    const Rows& x, const float* norm_weight, double eps, const Rows& y);

// x [tokens, heads · head_dim] in place; positions [tokens]; cosines, sines [positions,
// head_dim/2].
void rope(const Queue& queue, const Rows& x, std::int64_t head_dim, const std::int64_t* positions,
          const float* cosines, const float* sines, kernels::RopeDirection direction);

// gate, up, y of equal shape; y may be gate or up.
void swi_glu(const Queue& queue, const Rows& gate, const Rows& up, const Rows& y);
void swi_glu_backward(const Queue& queue, const Rows& gate, const Rows& up, const Rows& dy,
                      const Rows& d_gate, const Rows& d_up);

// q, o [rows, heads · head_dim]; k, v [key rows, kv_heads · head_dim]; lse [rows, heads] or none.
void attention(const Queue& queue, const kernels::AttentionShape& shape,
               const std::vector<kernels::AttentionSequence>& sequences,
               const kernels::AttentionPrefix& prefix, const Rows& q, const Rows& k, const Rows& v,
               const Rows& o, const Rows& lse);

struct AttentionForward {
  Rows q, k, v, o, lse;
};
void attention_backward(const Queue& queue, const kernels::AttentionShape& shape,
                        const std::vector<kernels::AttentionSequence>& sequences,
                        const AttentionForward& forward, const Rows& d_o, const Rows& dq,
                        const Rows& dk, const Rows& dv);

// tokens [rows], mask [rows, dropout_mask_bytes(channels)]; see kernels/dropout.h.
void dropout_mask(const Queue& queue, const kernels::DropoutStream& stream, double rate,
                  const std::vector<std::int64_t>& samples,
                  const std::vector<std::int64_t>& offsets, const std::int64_t* tokens,
                  std::int64_t channels, std::uint8_t* mask);
// y = dropout(x), or y += dropout(x) with `accumulate`.
void dropout_apply(const Queue& queue, double rate, const std::uint8_t* mask, const Rows& x,
                   bool accumulate, const Rows& y);

// y [m, n] = left [m, k] · right [k, n], or y += with `add`; with `turned`, left is given as
// [k, m]. One of the sizes is small; see kernels/narrow_matmul.h.
void narrow_matmul(const Queue& queue, const Rows& left, bool turned, const Rows& right, bool add,
                   const Rows& y);
// y [columns, rows] = scale · xᵀ.
void scaled_transpose(const Queue& queue, double scale, const Rows& x, const Rows& y);
// x *= scale.
void scale_values(const Queue& queue, double scale, const Rows& x);

// y = x.
void copy_rows(const Queue& queue, const Rows& x, const Rows& y);
// y [count, columns] = the rows `chosen` [count] of x.
void copy_chosen_rows(const Queue& queue, const std::int64_t* chosen, const Rows& x, const Rows& y);
// The rows `chosen` of x = y; none is chosen twice.
void copy_to_chosen_rows(const Queue& queue, const std::int64_t* chosen, const Rows& y,
                         const Rows& x);
// x += y in those rows, which ascend.
void add_to_chosen_rows(const Queue& queue, const std::int64_t* chosen, const Rows& y,
                        const Rows& x);

}  // namespace rallrec::ops
