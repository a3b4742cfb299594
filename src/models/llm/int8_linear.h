#pragma once

#include <memory>

#include "kernels/int8_dequantize.h"
#include "models/llm/int8_rules.h"
#include "models/llm/quant_mode.h"
#include "models/llm/weight_store.h"
#include "models/llm/wide_layer.h"

namespace rallrec::models::llm {

// The three ways to multiply by int8 weights. A row's result depends on that row alone. What a view
// shows may change between calls; it must outlive them.

// w8a8: activations are quantised per token when they arrive, but for their outliers O, values of
// at least kRmsOutlierLimit times the root mean square of the rest of the token
// (kernels/int8_outliers.h):
//   y = s ∘ (W_q Q(x without O)) + s ∘ (W_q O),
//   dx = Q(dy ∘ s without O') W_q + O' W_q.
// The int8 sums are exact in int32, the others fp32.
class Int8Linear : public FrozenLinear {
 public:
  explicit Int8Linear(const kernels::Int8Packed& view) : view_(view) {}

  void forward(const LinearInput& x, const Rows& y) const override;
  void forward_add(const LinearInput& x, const Rows& y) const override;
  void input_gradient(const Rows& dy, const Rows& dx) const override;
  void input_gradient_add(const Rows& dy, const Rows& dx) const override;
  std::int64_t bytes() const override { return 0; }

 private:
  kernels::Int8Packed view_;
};

// w8a16: y = x Wᵀ and dx = dy W with W = s ∘ W_q dequantised, once per entry of the layer.
class WideInt8Linear : public FrozenLinear {
 public:
  // `wide` is shared with the same matrix of other layers; whoever owns it enters the layer.
  WideInt8Linear(const kernels::Int8Packed& view, WideMatrix& wide) : view_(view), wide_(wide) {}

  void forward(const LinearInput& x, const Rows& y) const override;
  void forward_add(const LinearInput& x, const Rows& y) const override;
  void input_gradient(const Rows& dy, const Rows& dx) const override;
  void input_gradient_add(const Rows& dy, const Rows& dx) const override;
  std::int64_t bytes() const override { return 0; }

 protected:
  kernels::Int8Packed view_;
  WideMatrix& wide_;
};

// llm_int8 (Dettmers et al., arXiv 2208.07339), with each token's outliers by themselves: values of
// a magnitude of at least kMagnitudeOutlierLimit. y is as in w8a8, dx = dy W with W dequantised.
class LlmInt8Linear : public WideInt8Linear {
 public:
  using WideInt8Linear::WideInt8Linear;

  void forward(const LinearInput& x, const Rows& y) const override;
  void forward_add(const LinearInput& x, const Rows& y) const override;
};

// The linear of an int8 mode; `wide` as for WideInt8Linear.
std::unique_ptr<FrozenLinear> make_int8_linear(QuantMode mode, const kernels::Int8Packed& view,
                                               WideMatrix& wide);

}  // namespace rallrec::models::llm
