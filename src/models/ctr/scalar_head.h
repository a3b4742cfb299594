#pragma once

#include <cstdint>

#include "core/device_array.h"

namespace rallrec::models::ctr {

// logits += x w, row by row: how a part of a model without a bias reaches the logit.
class ScalarHead {
 public:
  ScalarHead(std::int64_t inputs, const Queue& queue);

  std::int64_t parameter_count() const { return inputs_; }
  // x [rows, inputs], w [inputs].
  void forward(const float* w, std::int64_t rows, const float* x, float* logits);
  // Writes over dw and dx.
  void backward(const float* w, std::int64_t rows, const float* x, const float* dlogits, float* dw,
                float* dx) const;

 private:
  std::int64_t inputs_;
  Queue queue_;
  DeviceArray<float> output_;
};

}  // namespace rallrec::models::ctr
