#pragma once

#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// The head as one tensor [vocab, hidden], fp32 or bf16; products are in fp32.
class WholeHead : public LmHead {
 public:
  explicit WholeHead(at::Tensor weight) : weight_(std::move(weight)) {}

  at::Tensor logits(const at::Tensor& hidden) const override;
  at::Tensor logits_of(const at::Tensor& hidden,
                       const std::vector<std::int64_t>& ids) const override;
  std::vector<float> losses(const at::Tensor& hidden, const std::vector<std::int64_t>& ids,
                            double loss_scale, const at::Tensor& d_hidden) const override;

 private:
  at::Tensor weight_;
};

}  // namespace rallrec::models::llm
