#include "models/llm/whole_head.h"

#include "core/check.h"
#include "kernels/label_loss.h"
#include "models/llm/head_rows.h"

namespace rallrec::models::llm {
namespace {

kernels::HeadPart whole(const at::Tensor& weight) {
  return head_part(weight, weight.size(0), 0, kernels::kVocabularyBlocks);
}

}  // namespace

at::Tensor WholeHead::logits(const at::Tensor& hidden) const {
  return part_logits(whole(weight_), hidden.contiguous());
}

at::Tensor WholeHead::logits_of(const at::Tensor& hidden,
                                const std::vector<std::int64_t>& ids) const {
  const at::Tensor rows = weight_.index_select(0, at::tensor(ids, at::kLong)).to(at::kFloat);
  return at::mm(hidden, rows.t());
}

std::vector<float> WholeHead::losses(const at::Tensor& hidden, const std::vector<std::int64_t>& ids,
                                     double loss_scale, const at::Tensor& d_hidden) const {
  RALLREC_CHECK(hidden.size(0) == static_cast<std::int64_t>(ids.size()) &&
                    hidden.size(1) == weight_.size(1) && hidden.is_contiguous(),
                "LmHead: one id per row of hidden states");
  std::vector<float> losses(ids.size());
  kernels::label_loss({}, whole(weight_), hidden.size(0), hidden.const_data_ptr<float>(),
                      ids.data(), loss_scale, losses.data(),
                      d_hidden.defined() ? d_hidden.mutable_data_ptr<float>() : nullptr);
  return losses;
}

}  // namespace rallrec::models::llm
