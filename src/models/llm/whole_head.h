#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// The head as one tensor [vocab, hidden], fp32 or bf16; products are in fp32.
class WholeHead : public LmHead {
 public:
  explicit WholeHead(at::Tensor weight) : weight_(std::move(weight)) {}

  void logits(const Rows& hidden, const Rows& logits) const override;
  void logits_of(const Rows& hidden, const std::vector<std::int64_t>& ids,
                 const Rows& logits) const override;
  std::vector<float> losses(const Rows& hidden, const std::vector<std::int64_t>& ids,
                            double loss_scale, const Rows& d_hidden) const override;

 private:
  at::Tensor weight_;
};

}  // namespace rallrec::models::llm
