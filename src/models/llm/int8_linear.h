#pragma once

#include <vector>

#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// W [out, in] as int8 with one fp32 scale per output row (absmax / 127), multiplied by activations
// that are quantised per token when they arrive (w8a8):
//   y  = s ∘ (W_q Q(x)),   dx = Q(dy ∘ s) W_q,
// both sums exact in int32, so a row's result does not depend on the other rows of the call.
class Int8Linear : public FrozenLinear {
 public:
  // `weight` is fp32 [out, in] and is not kept.
  explicit Int8Linear(const at::Tensor& weight);

  void forward(const at::Tensor& x, const at::Tensor& y) const override;
  void forward_add(const at::Tensor& x, const at::Tensor& y) const override;
  void input_gradient(const at::Tensor& dy, const at::Tensor& dx) const override;
  void input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const override;

 private:
  void multiply(const at::Tensor& x, bool add, const at::Tensor& y) const;
  void multiply_transposed(const at::Tensor& dy, bool add, const at::Tensor& dx) const;

  std::int64_t out_;
  std::int64_t in_;
  std::vector<float> scale_;         // [out]
  std::vector<std::int8_t> packed_;  // W_qᵀ as columns of depth `in`
};

}  // namespace rallrec::models::llm
