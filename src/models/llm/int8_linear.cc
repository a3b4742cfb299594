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

// y (+)= s ∘ (W_q x), or y (+)= (x ∘ s) W_q where `transposed`, outliers by themselves.
void multiply(const kernels::Int8Packed& view, bool transposed, const kernels::OutlierRule& rule,
              const at::Tensor& x, bool add, const at::Tensor& y) {
  check_matrix(x, transposed ? view.columns : view.depth);
  check_matrix(y, transposed ? view.depth : view.columns);
  const float* column_scale = transposed ? view.scale : nullptr;
  kernels::QuantizedRows q(x.size(0), x.size(1));
  const kernels::Outliers outliers =
      kernels::quantize_rows_without_outliers({}, x.const_data_ptr<float>(), column_scale, rule, q);
  auto* to = y.mutable_data_ptr<float>();
  if (transposed) {
    kernels::int8_matmul_transposed({}, {q.rows(), view.columns, view.depth}, q, view.packed, add,
                                    to);
    kernels::add_outlier_products_transposed({}, outliers, view, to);
  } else {
    kernels::int8_matmul({}, {q.rows(), view.depth, view.columns}, q, view.packed, view.scale, add,
                         to);
    kernels::add_outlier_products({}, outliers, view, to);
  }
}

}  // namespace

void Int8Linear::forward(const at::Tensor& x, const at::Tensor& y) const {
  multiply(view_, false, kRule, x, false, y);
}

void Int8Linear::forward_add(const at::Tensor& x, const at::Tensor& y) const {
  multiply(view_, false, kRule, x, true, y);
}

void Int8Linear::input_gradient(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply(view_, true, kRule, dy, false, dx);
}

void Int8Linear::input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const {
  multiply(view_, true, kRule, dy, true, dx);
}

void WideInt8Linear::forward(const at::Tensor& x, const at::Tensor& y) const {
  wide_.multiply(view_, x, false, y);
}

void WideInt8Linear::forward_add(const at::Tensor& x, const at::Tensor& y) const {
  wide_.multiply(view_, x, true, y);
}

void WideInt8Linear::input_gradient(const at::Tensor& dy, const at::Tensor& dx) const {
  wide_.multiply_transposed(view_, dy, false, dx);
}

void WideInt8Linear::input_gradient_add(const at::Tensor& dy, const at::Tensor& dx) const {
  wide_.multiply_transposed(view_, dy, true, dx);
}

void LlmInt8Linear::forward(const at::Tensor& x, const at::Tensor& y) const {
  multiply(view_, false, kPaperRule, x, false, y);
}

void LlmInt8Linear::forward_add(const at::Tensor& x, const at::Tensor& y) const {
  multiply(view_, false, kPaperRule, x, true, y);
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
