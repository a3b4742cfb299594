#pragma once

#include <ATen/core/Tensor.h>

#include <utility>

#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// W [out, in] as one fp32 or bf16 tensor.
class DenseLinear : public FrozenLinear {
 public:
  explicit DenseLinear(at::Tensor weight) : weight_(std::move(weight)) {}

  void forward(const LinearInput& x, const Rows& y) const override;
  void forward_add(const LinearInput& x, const Rows& y) const override;
  void input_gradient(const Rows& dy, const Rows& dx) const override;
  void input_gradient_add(const Rows& dy, const Rows& dx) const override;
  std::int64_t bytes() const override { return static_cast<std::int64_t>(weight_.nbytes()); }

 private:
  at::Tensor weight_;
};

}  // namespace rallrec::models::llm
