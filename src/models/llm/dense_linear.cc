#include "models/llm/dense_linear.h"

namespace rallrec::models::llm {
namespace {

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

void DenseLinear::forward(const LinearInput& x, const at::Tensor& y) const {
  multiply(x.x(), weight_.t(), false, y);
}

void DenseLinear::forward_add(const LinearInput& x, const at::Tensor& y) const {
  multiply(x.x(), weight_.t(), true, y);
}

void DenseLinear::input_gradient(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply(dy, weight_, false, dx);
}

void DenseLinear::input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply(dy, weight_, true, dx);
}

}  // namespace rallrec::models::llm
