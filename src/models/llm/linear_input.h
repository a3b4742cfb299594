#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <utility>

#include "kernels/int8_outliers.h"

namespace rallrec::models::llm {

// 8-bit rows and the large values that were taken out of them.
struct QuantizedInput {
  kernels::QuantizedRows rows;
  kernels::Outliers outliers;
};

// The fp32 input [rows, in] of one or more frozen linears. What the first of them makes of it is
// there for the others: q, k and v quantise their input once. The tensor must stay as it is.
class LinearInput {
 public:
  // Not explicit: where one linear takes it, a tensor is its input.
  LinearInput(at::Tensor x) : x_(std::move(x)) {}

  const at::Tensor& x() const { return x_; }
  // quantize_rows_without_outliers of x; all linears of one input ask with the same rule. For one
  // thread at a time.
  const QuantizedInput& quantized(const kernels::OutlierRule& rule) const {
    if (!quantized_) {
      kernels::QuantizedRows rows(x_.size(0), x_.size(1));
      kernels::Outliers outliers = kernels::quantize_rows_without_outliers(
          {}, x_.const_data_ptr<float>(), nullptr, rule, rows);
      quantized_ = QuantizedInput{std::move(rows), std::move(outliers)};
    }
    return *quantized_;
  }

 private:
  at::Tensor x_;
  mutable std::optional<QuantizedInput> quantized_;
};

}  // namespace rallrec::models::llm
