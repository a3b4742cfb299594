#include "models/llm/dense_linear.h"

#include <algorithm>

#include "core/check.h"
#include "kernels/label_loss.h"

namespace rallrec::models::llm {
namespace {

constexpr std::int64_t kHeadRows = 64;

// y = x · w or y += x · w, in the type of w.
void multiply(const at::Tensor& x, const at::Tensor& w, bool add, const at::Tensor& y) {
  at::Tensor target = y;
  if (w.scalar_type() != at::kFloat) {
    const at::Tensor product = at::mm(x.to(w.scalar_type()), w);
    add ? target.add_(product) : target.copy_(product);
  } else if (add) {
    target.addmm_(x, w);
  } else {
    at::mm_out(target, x, w);
  }
}

}  // namespace

void DenseLinear::forward(const at::Tensor& x, const at::Tensor& y) const {
  multiply(x, weight_.t(), false, y);
}

void DenseLinear::forward_add(const at::Tensor& x, const at::Tensor& y) const {
  multiply(x, weight_.t(), true, y);
}

void DenseLinear::input_gradient(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply(dy, weight_, false, dx);
}

void DenseLinear::input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply(dy, weight_, true, dx);
}

at::Tensor DenseHead::logits(const at::Tensor& hidden) const {
  const std::int64_t rows = hidden.size(0);
  at::Tensor y = at::empty({rows, weight_.size(0)}, hidden.options());
  for (std::int64_t begin = 0; begin < rows; begin += kHeadRows) {
    const std::int64_t count = std::min(kHeadRows, rows - begin);
    multiply(hidden.narrow(0, begin, count), weight_.t(), false, y.narrow(0, begin, count));
  }
  return y;
}

at::Tensor DenseHead::logits_of(const at::Tensor& hidden,
                                const std::vector<std::int64_t>& ids) const {
  const at::Tensor index = at::tensor(ids, at::kLong);
  at::Tensor y = at::empty({hidden.size(0), index.size(0)}, hidden.options());
  multiply(hidden, weight_.index_select(0, index).t(), false, y);
  return y;
}

std::vector<float> DenseHead::losses(const at::Tensor& hidden, const std::vector<std::int64_t>& ids,
                                     double loss_scale, const at::Tensor& d_hidden) const {
  RALLREC_CHECK(hidden.size(0) == static_cast<std::int64_t>(ids.size()) &&
                    hidden.size(1) == weight_.size(1) && hidden.is_contiguous(),
                "DenseHead: one id per row of hidden states");
  kernels::HeadMatrix head;
  head.vocabulary = weight_.size(0);
  head.hidden = weight_.size(1);
  if (weight_.scalar_type() == at::kFloat) {
    head.fp32 = weight_.const_data_ptr<float>();
  } else {
    head.bf16 = reinterpret_cast<const std::uint16_t*>(weight_.const_data_ptr());
  }
  std::vector<float> losses(ids.size());
  kernels::label_loss({}, head, hidden.size(0), hidden.const_data_ptr<float>(), ids.data(),
                      loss_scale, losses.data(),
                      d_hidden.defined() ? d_hidden.mutable_data_ptr<float>() : nullptr);
  return losses;
}

}  // namespace rallrec::models::llm
