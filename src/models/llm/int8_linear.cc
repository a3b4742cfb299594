#include "models/llm/int8_linear.h"

#include "core/check.h"
#include "kernels/int8_matmul.h"
#include "kernels/int8_outliers.h"

namespace rallrec::models::llm {
namespace {

constexpr kernels::OutlierRule kRule{kernels::OutlierRule::Kind::kTimesRms,
                                     Int8Linear::kOutlierLimit};
constexpr kernels::OutlierRule kPaperRule{kernels::OutlierRule::Kind::kMagnitude,
                                          LlmInt8Linear::kOutlierThreshold};

void check_matrix(const at::Tensor& x, std::int64_t columns) {
  RALLREC_CHECK(
      x.dim() == 2 && x.size(1) == columns && x.is_contiguous() && x.scalar_type() == at::kFloat,
      "Int8Linear: expected a contiguous fp32 matrix of " + std::to_string(columns) + " columns");
}

// y (+)= s ∘ (W_q x), outliers by themselves.
void multiply(const kernels::Int8Packed& view, const kernels::OutlierRule& rule,
              const LinearInput& x, bool add, const at::Tensor& y) {
  check_matrix(x.x(), view.depth);
  check_matrix(y, view.columns);
  const QuantizedInput& q = x.quantized(rule);
  auto* to = y.mutable_data_ptr<float>();
  kernels::int8_matmul({}, {q.rows.rows(), view.depth, view.columns}, q.rows, view.packed,
                       view.scale, add, to);
  kernels::add_outlier_products({}, q.outliers, view, to);
}

// dx (+)= (dy ∘ s) W_q, outliers by themselves.
void multiply_transposed(const kernels::Int8Packed& view, const kernels::OutlierRule& rule,
                         const at::Tensor& dy, bool add, const at::Tensor& dx) {
  check_matrix(dy, view.columns);
  check_matrix(dx, view.depth);
  kernels::QuantizedRows q(dy.size(0), dy.size(1));
  const kernels::Outliers outliers =
      kernels::quantize_rows_without_outliers({}, dy.const_data_ptr<float>(), view.scale, rule, q);
  auto* to = dx.mutable_data_ptr<float>();
  kernels::int8_matmul_transposed({}, {q.rows(), view.columns, view.depth}, q, view.packed, add,
                                  to);
  kernels::add_outlier_products_transposed({}, outliers, view, to);
}

}  // namespace

void Int8Linear::forward(const LinearInput& x, const at::Tensor& y) const {
  multiply(view_, kRule, x, false, y);
}

void Int8Linear::forward_add(const LinearInput& x, const at::Tensor& y) const {
  multiply(view_, kRule, x, true, y);
}

void Int8Linear::input_gradient(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply_transposed(view_, kRule, dy, false, dx);
}

void Int8Linear::input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply_transposed(view_, kRule, dy, true, dx);
}

void WideInt8Linear::forward(const LinearInput& x, const at::Tensor& y) const {
  wide_.multiply(view_, x.x(), false, y);
}

void WideInt8Linear::forward_add(const LinearInput& x, const at::Tensor& y) const {
  wide_.multiply(view_, x.x(), true, y);
}

void WideInt8Linear::input_gradient(const at::Tensor& dy, const at::Tensor& dx) const {
  wide_.multiply_transposed(view_, dy, false, dx);
}

void WideInt8Linear::input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const {
  wide_.multiply_transposed(view_, dy, true, dx);
}

void LlmInt8Linear::forward(const LinearInput& x, const at::Tensor& y) const {
  multiply(view_, kPaperRule, x, false, y);
}

void LlmInt8Linear::forward_add(const LinearInput& x, const at::Tensor& y) const {
  multiply(view_, kPaperRule, x, true, y);
}

std::unique_ptr<FrozenLinear> make_int8_linear(QuantMode mode, const kernels::Int8Packed& view,
                                               WideMatrix& wide) {
  RALLREC_CHECK(is_int8(mode), "make_int8_linear: not an int8 mode");
  if (mode == QuantMode::kW8a16) {
    return std::make_unique<WideInt8Linear>(view, wide);
  }
  if (mode == QuantMode::kLlmInt8) {
    return std::make_unique<LlmInt8Linear>(view, wide);
  }
  return std::make_unique<Int8Linear>(view);
}

}  // namespace rallrec::models::llm
