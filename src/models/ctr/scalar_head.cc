#include "models/ctr/scalar_head.h"

#include "kernels/linear.h"
#include "models/ctr/vectors.h"

namespace rallrec::models::ctr {

void ScalarHead::forward(const float* w, std::int64_t rows, const float* x, float* logits) {
  float* output = room(output_, rows);
  kernels::linear({}, {rows, inputs_, 1}, x, w, nullptr, output);
  add_to(logits, output, rows);
}

void ScalarHead::backward(const float* w, std::int64_t rows, const float* x, const float* dlogits,
                          float* dw, float* dx) const {
  kernels::linear_backward_weight({}, {rows, inputs_, 1}, x, dlogits, dw, nullptr);
  kernels::linear_backward_input({}, {rows, inputs_, 1}, dlogits, w, dx);
}

}  // namespace rallrec::models::ctr
