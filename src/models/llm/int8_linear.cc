#include "models/llm/int8_linear.h"

#include "core/check.h"
#include "kernels/int8_matmul.h"

namespace rallrec::models::llm {
namespace {

// Activations as the matmul takes them.
kernels::QuantizedRows quantized(const at::Tensor& x, const float* column_scale) {
  kernels::QuantizedRows rows(x.size(0), x.size(1));
  kernels::quantize_rows({}, x.const_data_ptr<float>(), column_scale, rows);
  return rows;
}

void check_matrix(const at::Tensor& x, std::int64_t columns) {
  RALLREC_CHECK(
      x.dim() == 2 && x.size(1) == columns && x.is_contiguous() && x.scalar_type() == at::kFloat,
      "Int8Linear: expected a contiguous fp32 matrix of " + std::to_string(columns) + " columns");
}

}  // namespace

Int8Linear::Int8Linear(const at::Tensor& weight) {
  const std::int64_t out = weight.size(0);
  const std::int64_t in = weight.size(1);
  check_matrix(weight, in);
  std::vector<std::int8_t> q(static_cast<std::size_t>(out * in));
  scale_.resize(static_cast<std::size_t>(out));
  kernels::quantize_weight_rows(out, in, weight.const_data_ptr<float>(), q.data(), scale_.data());
  packed_.resize(static_cast<std::size_t>(kernels::int8_packed_size(in, out)));
  kernels::pack_int8(q.data(), 1, in, in, out, packed_.data());
  view_ = {out, in, packed_.data(), scale_.data()};
}

void Int8Linear::multiply(const at::Tensor& x, bool add, const at::Tensor& y) const {
  check_matrix(x, view_.in);
  check_matrix(y, view_.out);
  kernels::int8_matmul({}, {x.size(0), view_.in, view_.out}, quantized(x, nullptr), view_.packed,
                       view_.scale, add, y.mutable_data_ptr<float>());
}

void Int8Linear::multiply_transposed(const at::Tensor& dy, bool add, const at::Tensor& dx) const {
  check_matrix(dy, view_.out);
  check_matrix(dx, view_.in);
  kernels::int8_matmul_transposed({}, {dy.size(0), view_.out, view_.in}, quantized(dy, view_.scale),
                                  view_.packed, add, dx.mutable_data_ptr<float>());
}

void Int8Linear::forward(const at::Tensor& x, const at::Tensor& y) const { multiply(x, false, y); }

void Int8Linear::forward_add(const at::Tensor& x, const at::Tensor& y) const {
  multiply(x, true, y);
}

void Int8Linear::input_gradient(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply_transposed(dy, false, dx);
}

void Int8Linear::input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply_transposed(dy, true, dx);
}

}  // namespace rallrec::models::llm
