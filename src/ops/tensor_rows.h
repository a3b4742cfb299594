#pragma once

#include <ATen/core/Tensor.h>

#include "core/check.h"
#include "core/rows.h"

namespace rallrec::ops {

// The memory of a contiguous fp32 matrix on the CPU, which must outlive the view; none where the
// tensor is undefined.
inline Rows rows_of(const at::Tensor& x) {
  if (!x.defined()) {
    return {};
  }
  RALLREC_CHECK(x.dim() == 2 && x.scalar_type() == at::kFloat && x.is_contiguous() && x.is_cpu(),
                "expected a contiguous fp32 matrix on the CPU");
  return {x.data_ptr<float>(), x.size(0), x.size(1)};
}

// A tensor that looks at the rows' memory and does not own it. CPU only.
inline at::Tensor tensor_of(const Rows& rows) {
  return at::from_blob(rows.data, {rows.rows, rows.columns}, at::kFloat);
}

}  // namespace rallrec::ops
