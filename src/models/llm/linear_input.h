#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "core/rows.h"
#include "kernels/int8_outliers.h"

namespace rallrec::models::llm {

// 8-bit rows and the large values that were taken out of them, in host memory.
struct QuantizedInput {
  kernels::QuantizedRows rows;
  kernels::Outliers outliers;
};

// The fp32 input [rows, in] of one or more frozen linears. What the first of them makes of it is
// there for the others: q, k and v quantise their input once. The rows must stay as they are.
class LinearInput {
 public:
  // Not explicit: where one linear takes them, rows are its input.
  LinearInput(const Rows& x) : x_(x) {}

  const Rows& x() const { return x_; }
  // quantize_rows_without_outliers of x; all linears of one input ask with the same rule. For one
  // thread at a time, on the CPU.
  const QuantizedInput& quantized(const kernels::OutlierRule& rule) const {
    if (!quantized_) {
      kernels::QuantizedRows rows(x_.rows, x_.columns);
      kernels::Outliers outliers =
          kernels::quantize_rows_without_outliers({}, x_.data, nullptr, rule, rows);
      quantized_ = QuantizedInput{std::move(rows), std::move(outliers)};
    }
    return *quantized_;
  }

 private:
  Rows x_;
  mutable std::optional<QuantizedInput> quantized_;
};

}  // namespace rallrec::models::llm
