#include "models/llm/whole_head.h"

#include "core/check.h"
#include "kernels/label_loss.h"
#include "models/llm/head_rows.h"
#include "ops/tensor_rows.h"

namespace rallrec::models::llm {
namespace {

kernels::HeadPart whole(const at::Tensor& weight) {
  return head_part(weight, weight.size(0), 0, kernels::kVocabularyBlocks);
}

}  // namespace

void WholeHead::logits(const Rows& hidden, const Rows& logits) const {
  part_logits(whole(weight_), hidden, logits);
}

void WholeHead::logits_of(const Rows& hidden, const std::vector<std::int64_t>& ids,
                          const Rows& logits) const {
  const at::Tensor rows = weight_.index_select(0, at::tensor(ids, at::kLong)).to(at::kFloat);
  at::Tensor to = ops::tensor_of(logits);
  at::mm_out(to, ops::tensor_of(hidden), rows.t());
}

std::vector<float> WholeHead::losses(const Rows& hidden, const std::vector<std::int64_t>& ids,
                                     double loss_scale, const Rows& d_hidden) const {
  RALLREC_CHECK(
      hidden.rows == static_cast<std::int64_t>(ids.size()) && hidden.columns == weight_.size(1),
      "LmHead: one id per row of hidden states");
  std::vector<float> losses(ids.size());
  kernels::label_loss({}, whole(weight_), hidden.rows, hidden.data, ids.data(), loss_scale,
                      losses.data(), d_hidden.data);
  return losses;
}

}  // namespace rallrec::models::llm
