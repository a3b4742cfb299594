#include "models/ctr/scalar_head.h"

#include "kernels/linear.h"
#include "models/ctr/vectors.h"

namespace rallrec::models::ctr {

ScalarHead::ScalarHead(std::int64_t inputs, const Queue& queue)
    : inputs_(inputs), queue_(queue), output_(activations(queue)) {}

void ScalarHead::forward(const float* w, std::int64_t rows, const float* x, float* logits) {
  float* output = room(output_, rows);
  kernels::linear(queue_, {rows, inputs_, 1}, x, w, nullptr, output);
  add_to(queue_, logits, output, rows);
}

void ScalarHead::backward(const float* w, std::int64_t rows, const float* x, const float* dlogits,
                          float* dw, float* dx) const {
  kernels::linear_backward_weight(queue_, {rows, inputs_, 1}, x, dlogits, dw, nullptr);
  kernels::linear_backward_input(queue_, {rows, inputs_, 1}, dlogits, w, dx);
}

}  // namespace rallrec::models::ctr
