#include "models/llm/int8_linear.h"

#include "core/check.h"
#include "kernels/int8_matmul.h"
#include "kernels/int8_outliers.h"

namespace rallrec::models::llm {
namespace {

void check_matrix(const Rows& x, std::int64_t columns) {
  RALLREC_CHECK(x.columns == columns, "Int8Linear: expected rows of " + std::to_string(columns));
}

// y (+)= s ∘ (W_q x), outliers by themselves.
void multiply(const kernels::Int8Packed& view, const kernels::OutlierRule& rule,
              const LinearInput& x, bool add, const Rows& y) {
  check_matrix(x.x(), view.depth);
  check_matrix(y, view.columns);
  const QuantizedInput& q = x.quantized(rule);
  kernels::int8_matmul({}, {q.rows.rows(), view.depth, view.columns}, q.rows, view.packed,
                       view.scale, add, y.data);
  kernels::add_outlier_products({}, q.outliers, view, y.data);
}

// dx (+)= (dy ∘ s) W_q, outliers by themselves.
void multiply_transposed(const kernels::Int8Packed& view, const kernels::OutlierRule& rule,
                         const Rows& dy, bool add, const Rows& dx) {
  check_matrix(dy, view.columns);
  check_matrix(dx, view.depth);
  kernels::QuantizedRows q(dy.rows, dy.columns);
  const kernels::Outliers outliers =
      kernels::quantize_rows_without_outliers({}, dy.data, view.scale, rule, q);
  kernels::int8_matmul_transposed({}, {q.rows(), view.columns, view.depth}, q, view.packed, add,
                                  dx.data);
  kernels::add_outlier_products_transposed({}, outliers, view, dx.data);
}

}  // namespace

void Int8Linear::forward(const LinearInput& x, const Rows& y) const {
  multiply(view_, kRmsOutliers, x, false, y);
}

void Int8Linear::forward_add(const LinearInput& x, const Rows& y) const {
  multiply(view_, kRmsOutliers, x, true, y);
}

void Int8Linear::input_gradient(const Rows& dy, const Rows& dx) const {
  multiply_transposed(view_, kRmsOutliers, dy, false, dx);
}

void Int8Linear::input_gradient_add(const Rows& dy, const Rows& dx) const {
  multiply_transposed(view_, kRmsOutliers, dy, true, dx);
}

void WideInt8Linear::forward(const LinearInput& x, const Rows& y) const {
  wide_.multiply(view_, x.x(), false, y);
}

void WideInt8Linear::forward_add(const LinearInput& x, const Rows& y) const {
  wide_.multiply(view_, x.x(), true, y);
}

void WideInt8Linear::input_gradient(const Rows& dy, const Rows& dx) const {
  wide_.multiply_transposed(view_, dy, false, dx);
}

void WideInt8Linear::input_gradient_add(const Rows& dy, const Rows& dx) const {
  wide_.multiply_transposed(view_, dy, true, dx);
}

void LlmInt8Linear::forward(const LinearInput& x, const Rows& y) const {
  multiply(view_, kPaperOutliers, x, false, y);
}

void LlmInt8Linear::forward_add(const LinearInput& x, const Rows& y) const {
  multiply(view_, kPaperOutliers, x, true, y);
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
