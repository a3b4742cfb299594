#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/int8_dequantize.h"
#include "kernels/int8_matmul.h"

namespace rallrec::models::llm {

// A quantised matrix in memory of its own.
struct Int8Matrix {
  // `weight` is fp32 [out, in], contiguous.
  explicit Int8Matrix(const at::Tensor& weight)
      : out(weight.size(0)),
        in(weight.size(1)),
        packed(static_cast<std::size_t>(kernels::int8_packed_size(in, out))),
        scale(static_cast<std::size_t>(out)) {
    std::vector<std::int8_t> q(static_cast<std::size_t>(out * in));
    kernels::quantize_weight_rows(out, in, weight.const_data_ptr<float>(), q.data(), scale.data());
    kernels::pack_int8(q.data(), 1, in, in, out, packed.data());
  }
  kernels::Int8Packed view() const { return {in, out, packed.data(), scale.data()}; }

  std::int64_t out, in;
  std::vector<std::int8_t> packed;
  std::vector<float> scale;
};

}  // namespace rallrec::models::llm
