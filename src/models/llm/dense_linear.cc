#include "models/llm/dense_linear.h"

#include "ops/tensor_rows.h"

namespace rallrec::models::llm {
namespace {

// y = x · w or y += x · w, in the type of w.
void multiply(const Rows& from, const at::Tensor& w, bool add, const Rows& to) {
  const at::Tensor x = ops::tensor_of(from);
  at::Tensor target = ops::tensor_of(to);
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

void DenseLinear::forward(const LinearInput& x, const Rows& y) const {
  multiply(x.x(), weight_.t(), false, y);
}

void DenseLinear::forward_add(const LinearInput& x, const Rows& y) const {
  multiply(x.x(), weight_.t(), true, y);
}

void DenseLinear::input_gradient(const Rows& dy, const Rows& dx) const {
  multiply(dy, weight_, false, dx);
}

void DenseLinear::input_gradient_add(const Rows& dy, const Rows& dx) const {
  multiply(dy, weight_, true, dx);
}

}  // namespace rallrec::models::llm
