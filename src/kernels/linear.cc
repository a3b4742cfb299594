#include "kernels/linear.h"

#include "core/check.h"
#include "kernels/linear_cpu.h"
#include "kernels/linear_gpu.h"

namespace rallrec::kernels {
namespace {

void check_sizes(const LinearShape& shape) {
  RALLREC_CHECK(shape.rows >= 0 && shape.inputs >= 0 && shape.outputs >= 0,
                "linear: negative size");
}

}  // namespace

void linear(const Queue& queue, const LinearShape& shape, const float* x, const float* weight,
            const float* bias, float* y) {
  check_sizes(shape);
  if (shape.rows == 0 || shape.outputs == 0) {
    return;
  }
  RALLREC_CHECK(y != nullptr && (shape.inputs == 0 || (x != nullptr && weight != nullptr)),
                "linear: null input or result");
  if (queue.device == Device::kCuda) {
    detail::linear_gpu(queue, shape, x, weight, bias, y);
  } else {
    detail::linear_cpu(shape, x, weight, bias, y);
  }
}

void linear_backward_input(const Queue& queue, const LinearShape& shape, const float* dy,
                           const float* weight, float* dx) {
  check_sizes(shape);
  if (shape.rows == 0 || shape.inputs == 0) {
    return;
  }
  RALLREC_CHECK(dx != nullptr && (shape.outputs == 0 || (dy != nullptr && weight != nullptr)),
                "linear_backward_input: null input or result");
  if (queue.device == Device::kCuda) {
    detail::linear_backward_input_gpu(queue, shape, dy, weight, dx);
  } else {
    detail::linear_backward_input_cpu(shape, dy, weight, dx);
  }
}

void linear_backward_weight(const Queue& queue, const LinearShape& shape, const float* x,
                            const float* dy, float* dweight, float* dbias) {
  check_sizes(shape);
  if (shape.outputs == 0) {
    return;
  }
  RALLREC_CHECK((dweight != nullptr || shape.inputs == 0) &&
                    (shape.rows == 0 || (dy != nullptr && (x != nullptr || shape.inputs == 0))),
                "linear_backward_weight: null input or result");
  if (queue.device == Device::kCuda) {
    detail::linear_backward_weight_gpu(queue, shape, x, dy, dweight, dbias);
  } else {
    detail::linear_backward_weight_cpu(shape, x, dy, dweight, dbias);
  }
}

}  // namespace rallrec::kernels
