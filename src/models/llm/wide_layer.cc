#include "models/llm/wide_layer.h"

#include <ATen/ops/empty.h>

#include "core/check.h"
#include "kernels/fp32_matmul.h"
#include "kernels/int8_dequantize.h"
#include "kernels/tile_matmul.h"
#include "models/llm/dense_linear.h"
#include "models/llm/quant_mode.h"

namespace rallrec::models::llm {
namespace {

void check_product(const Rows& x, std::int64_t depth, const Rows& y, std::int64_t columns) {
  RALLREC_CHECK(x.columns == depth && y.rows == x.rows && y.columns == columns,
                "WideMatrix: expected matrices [rows, in] and [rows, out]");
}

}  // namespace

WideType wide_type_of_this_cpu() {
  return has_bfloat16_instructions() ? WideType::kBfloat16 : WideType::kFloat32;
}

std::int64_t WideMatrix::bytes() const {
  const auto rows = rows_.defined() ? static_cast<std::int64_t>(rows_.nbytes()) : 0;
  return rows + static_cast<std::int64_t>(sizeof(float) * panels_.size());
}

void WideMatrix::bring(Form form, const kernels::Int8Packed& w) {
  if (form_ == form) {
    return;
  }
  form_ = form;
  if (form == Form::kRows) {
    if (!rows_.defined() || rows_.size(0) != w.columns || rows_.size(1) != w.depth) {
      rows_ = at::empty({w.columns, w.depth}, at::kBFloat16);
    }
    kernels::dequantize_bfloat16({}, w, static_cast<std::uint16_t*>(rows_.data_ptr()));
  } else if (form == Form::kForward) {
    panels_.resize(static_cast<std::size_t>(kernels::packed_size(w.depth, w.columns)));
    kernels::dequantize_panels({}, w, panels_.data());
  } else {
    panels_.resize(static_cast<std::size_t>(kernels::packed_size(w.columns, w.depth)));
    kernels::dequantize_turned_panels({}, w, panels_.data());
  }
}

void WideMatrix::multiply(const kernels::Int8Packed& w, const Rows& x, bool add, const Rows& y) {
  check_product(x, w.depth, y, w.columns);
  if (type_ == WideType::kBfloat16) {
    bring(Form::kRows, w);
    const DenseLinear dense(rows_);
    add ? dense.forward_add(x, y) : dense.forward(x, y);
    return;
  }
  bring(Form::kForward, w);
  kernels::fp32_matmul({}, {x.rows, w.depth, w.columns}, x.data, panels_.data(), add, y.data);
}

void WideMatrix::multiply_transposed(const kernels::Int8Packed& w, const Rows& dy, bool add,
                                     const Rows& dx) {
  check_product(dy, w.columns, dx, w.depth);
  if (type_ == WideType::kBfloat16) {
    bring(Form::kRows, w);
    const DenseLinear dense(rows_);
    add ? dense.input_gradient_add(dy, dx) : dense.input_gradient(dy, dx);
    return;
  }
  bring(Form::kTransposed, w);
  kernels::fp32_matmul({}, {dy.rows, w.columns, w.depth}, dy.data, panels_.data(), add, dx.data);
}

WideLayer::WideLayer(WideType type) : matrices_(kLinearCount, WideMatrix(type)) {}

std::int64_t WideLayer::bytes() const {
  std::int64_t bytes = 0;
  for (const WideMatrix& matrix : matrices_) {
    bytes += matrix.bytes();
  }
  return bytes;
}

void WideLayer::enter(std::int64_t layer) {
  if (layer != layer_) {
    layer_ = layer;
    for (WideMatrix& matrix : matrices_) {
      matrix.forget();
    }
  }
}

}  // namespace rallrec::models::llm
