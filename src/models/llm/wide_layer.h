#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "core/rows.h"
#include "kernels/int8_dequantize.h"
#include "models/llm/linear_names.h"

namespace rallrec::models::llm {

enum class WideType { kFloat32, kBfloat16 };

// bf16 where the CPU multiplies it, else fp32.
WideType wide_type_of_this_cpu();

// An int8 matrix brought back to 16 or 32 bits, in memory that the same matrix of every layer uses
// in turn. The matrix given to the multiplications must be the same one until `forget`.
class WideMatrix {
 public:
  explicit WideMatrix(WideType type) : type_(type) {}

  void forget() { form_ = Form::kNone; }
  std::int64_t bytes() const;
  // y [rows, out] (+)= x [rows, in] Wᵀ.
  void multiply(const kernels::Int8Packed& w, const Rows& x, bool add, const Rows& y);
  // dx [rows, in] (+)= dy [rows, out] W.
  void multiply_transposed(const kernels::Int8Packed& w, const Rows& dy, bool add, const Rows& dx);

 private:
  // What the memory holds: nothing, panels of Wᵀ, panels of W, or W itself in bf16.
  enum class Form { kNone, kForward, kTransposed, kRows };

  void bring(Form form, const kernels::Int8Packed& w);

  WideType type_;
  Form form_ = Form::kNone;
  std::vector<float> panels_;  // fp32
  at::Tensor rows_;            // bf16
};

// The seven matrices of the layer that is computing: the only one that is there in 16 or 32 bits.
class WideLayer {
 public:
  explicit WideLayer(WideType type);

  // From here on the matrices are those of `layer`.
  void enter(std::int64_t layer);
  std::int64_t bytes() const;
  WideMatrix& operator[](Linear linear) { return matrices_[static_cast<std::size_t>(linear)]; }

 private:
  std::int64_t layer_ = -1;
  std::vector<WideMatrix> matrices_;
};

}  // namespace rallrec::models::llm
