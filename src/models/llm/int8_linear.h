#pragma once

#include <vector>

#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// A matrix as Int8Linear multiplies by it, in somebody else's memory.
struct Int8View {
  std::int64_t out = 0;
  std::int64_t in = 0;
  const std::int8_t* packed = nullptr;  // W_qᵀ by kernels::pack_int8: columns of depth `in`
  const float* scale = nullptr;         // [out]
};

// W [out, in] as int8 with one fp32 scale per output row (absmax / 127), multiplied by activations
// that are quantised per token when they arrive (w8a8):
//   y  = s ∘ (W_q Q(x)),   dx = Q(dy ∘ s) W_q,
// both sums exact in int32, so a row's result does not depend on the other rows of the call.
class Int8Linear : public FrozenLinear {
 public:
  // `weight` is fp32 [out, in] and is not kept.
  explicit Int8Linear(const at::Tensor& weight);
  // What the view shows may change between calls; it must outlive them.
  explicit Int8Linear(const Int8View& view) : view_(view) {}
  Int8Linear(const Int8Linear&) = delete;
  Int8Linear& operator=(const Int8Linear&) = delete;

  void forward(const at::Tensor& x, const at::Tensor& y) const override;
  void forward_add(const at::Tensor& x, const at::Tensor& y) const override;
  void input_gradient(const at::Tensor& dy, const at::Tensor& dx) const override;
  void input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const override;
  std::int64_t bytes() const override {
    return static_cast<std::int64_t>(packed_.size() + sizeof(float) * scale_.size());
  }

 private:
  void multiply(const at::Tensor& x, bool add, const at::Tensor& y) const;
  void multiply_transposed(const at::Tensor& dy, bool add, const at::Tensor& dx) const;

  // Empty where the view is of other memory.
  std::vector<float> scale_;
  std::vector<std::int8_t> packed_;
  Int8View view_;
};

}  // namespace rallrec::models::llm
