// The kernels of a decoder layer on tensors. All tensors are contiguous on the CPU, fp32 unless
// said otherwise; results go into tensors the caller gives, so a layer runs without allocating.
// Errors: a shape or type that does not fit is a broken precondition (70).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "kernels/attention.h"
#include "kernels/dropout.h"
#include "kernels/embedding_pool.h"
#include "kernels/rope.h"

namespace rallrec::ops {

// x, y [rows, columns], weight [columns]; inverse_rms [rows] or undefined.
void rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, const at::Tensor& y,
              const at::Tensor& inverse_rms);
// dx = residual + gradient; `residual` may be undefined; dx may be x, dy or residual.
void rms_norm_backward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& inverse_rms,
                       const at::Tensor& dy, const at::Tensor& residual, const at::Tensor& dx);

// x [tokens, heads · head_dim] in place; positions int64 [tokens]; cosines, sines [positions,
// head_dim/2].
void rope(const at::Tensor& x, std::int64_t head_dim, const at::Tensor& positions,
          const at::Tensor& cosines, const at::Tensor& sines, kernels::RopeDirection direction);

// gate, up, y of equal shape; y may be gate or up.
void swi_glu(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& y);
void swi_glu_backward(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& dy,
                      const at::Tensor& d_gate, const at::Tensor& d_up);

// q, o [rows, heads · head_dim]; k, v [key rows, kv_heads · head_dim]; lse [rows, heads] or
// undefined.
void attention(const kernels::AttentionShape& shape,
               const std::vector<kernels::AttentionSequence>& sequences,
               const kernels::AttentionPrefix& prefix, const at::Tensor& q, const at::Tensor& k,
               const at::Tensor& v, const at::Tensor& o, const at::Tensor& lse);

struct AttentionForward {
  at::Tensor q, k, v, o, lse;
};
void attention_backward(const kernels::AttentionShape& shape,
                        const std::vector<kernels::AttentionSequence>& sequences,
                        const AttentionForward& forward, const at::Tensor& d_o,
                        const at::Tensor& dq, const at::Tensor& dk, const at::Tensor& dv);

// table fp32 or bf16 [rows, columns]; y [ids, columns].
void embedding_gather(const at::Tensor& table, const std::vector<std::int64_t>& ids,
                      const at::Tensor& y);

// x [tokens, columns], offsets [sequences + 1] -> fp32 [sequences, columns].
at::Tensor embedding_pool(const at::Tensor& x, const std::vector<std::int64_t>& offsets,
                          kernels::Pooling pooling);

// tokens int64 [rows], mask uint8 [rows, dropout_mask_bytes(channels)]; see kernels/dropout.h.
void dropout_mask(const kernels::DropoutStream& stream, double rate,
                  const std::vector<std::int64_t>& samples,
                  const std::vector<std::int64_t>& offsets, const at::Tensor& tokens,
                  std::int64_t channels, const at::Tensor& mask);
// y = dropout(x), or y += dropout(x) with `accumulate`.
void dropout_apply(double rate, const at::Tensor& mask, const at::Tensor& x, bool accumulate,
                   const at::Tensor& y);

// y [m, n] = left [m, k] · right [k, n], or y += with `add`, all fp32: left with any strides, right
// and y with whole rows. One of the sizes is small; see kernels/narrow_matmul.h.
void narrow_matmul(const at::Tensor& left, const at::Tensor& right, bool add, const at::Tensor& y);

}  // namespace rallrec::ops
