#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// W [out, in] in fp32, packed once for our own matmul. The copy that the input gradient needs is
// packed when one is first asked for, so passes without gradients keep the weights once.
class Fp32Linear : public FrozenLinear {
 public:
  // `weight` is fp32 [out, in], contiguous, and is not kept.
  explicit Fp32Linear(const at::Tensor& weight);

  void forward(const LinearInput& x, const Rows& y) const override;
  void forward_add(const LinearInput& x, const Rows& y) const override;
  void input_gradient(const Rows& dy, const Rows& dx) const override;
  void input_gradient_add(const Rows& dy, const Rows& dx) const override;
  std::int64_t bytes() const override {
    return static_cast<std::int64_t>(sizeof(float) * (packed_.size() + packed_t_.size()));
  }

 private:
  const std::vector<float>& transposed() const;

  std::int64_t out_;
  std::int64_t in_;
  std::vector<float> packed_;            // Wᵀ as columns of depth `in`
  mutable std::vector<float> packed_t_;  // W as columns of depth `out`; empty until needed
};

}  // namespace rallrec::models::llm
