#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "core/rows.h"
#include "kernels/int8_outliers.h"
#include "kernels/int8_rows.h"
#include "models/llm/arena.h"

namespace rallrec::models::llm {

// 8-bit rows and the large values that were taken out of them, in host memory.
struct QuantizedInput {
  kernels::QuantizedRows rows;
  kernels::Outliers outliers;
};

// Plain 8-bit rows and the outliers that were taken out of them, in an arena of a queue.
struct DeviceQuantized {
  std::int8_t* q = nullptr;
  float* scale = nullptr;
  kernels::OutlierSlots outliers;
};

// x [rows, depth] · column_scale (null = 1) as int8. One value in 200 is an outlier in w8a8; there
// are slots for one in eight, and a row with more becomes NaN, which the loss shows.
DeviceQuantized quantize_in(Arena& arena, const Rows& x, const float* column_scale,
                            const kernels::OutlierRule& rule);

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
  // The same on the arena's device. What it takes of the arena is given back with this input, which
  // must be before anything that was taken earlier.
  const DeviceQuantized& quantized_in(Arena& arena, const kernels::OutlierRule& rule) const {
    if (!scope_) {
      scope_.emplace(arena);
      on_device_ = quantize_in(arena, x_, nullptr, rule);
    }
    return on_device_;
  }

 private:
  Rows x_;
  mutable std::optional<QuantizedInput> quantized_;
  mutable std::optional<ArenaScope> scope_;
  mutable DeviceQuantized on_device_;
};

}  // namespace rallrec::models::llm
