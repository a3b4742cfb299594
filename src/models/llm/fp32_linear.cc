#include "models/llm/fp32_linear.h"

#include "core/check.h"
#include "kernels/fp32_matmul.h"
#include "kernels/tile_matmul.h"

namespace rallrec::models::llm {
namespace {

// y [rows, columns] (+)= x [rows, depth] times the packed matrix.
void multiply(const Rows& x, const std::vector<float>& packed, std::int64_t depth,
              std::int64_t columns, bool add, const Rows& y) {
  RALLREC_CHECK(x.columns == depth && y.rows == x.rows && y.columns == columns,
                "Fp32Linear: expected matrices [rows, in] and [rows, out]");
  kernels::fp32_matmul({}, {x.rows, depth, columns}, x.data, packed.data(), add, y.data);
}

}  // namespace

Fp32Linear::Fp32Linear(const at::Tensor& weight) : out_(weight.size(0)), in_(weight.size(1)) {
  RALLREC_CHECK(weight.dim() == 2 && weight.is_contiguous(), "Fp32Linear: a contiguous matrix");
  packed_.resize(static_cast<std::size_t>(kernels::packed_size(in_, out_)));
  kernels::pack_panels(weight.const_data_ptr<float>(), 1, in_, in_, out_, packed_.data());
}

// Element (in i, out j) of the packed Wᵀ stands at (j / 16) · 16 · in + 16 · i + j % 16.
const std::vector<float>& Fp32Linear::transposed() const {
  if (packed_t_.empty()) {
    std::vector<float> rows(static_cast<std::size_t>(out_ * in_));
    for (std::int64_t j = 0; j < out_; ++j) {
      const float* column = packed_.data() +
                            j / kernels::kPanelColumns * kernels::kPanelColumns * in_ +
                            j % kernels::kPanelColumns;
      for (std::int64_t i = 0; i < in_; ++i) {
        rows[static_cast<std::size_t>(j * in_ + i)] = column[i * kernels::kPanelColumns];
      }
    }
    packed_t_.resize(static_cast<std::size_t>(kernels::packed_size(out_, in_)));
    kernels::pack_panels(rows.data(), in_, 1, out_, in_, packed_t_.data());
  }
  return packed_t_;
}

void Fp32Linear::forward(const LinearInput& x, const Rows& y) const {
  multiply(x.x(), packed_, in_, out_, false, y);
}

void Fp32Linear::forward_add(const LinearInput& x, const Rows& y) const {
  multiply(x.x(), packed_, in_, out_, true, y);
}

void Fp32Linear::input_gradient(const Rows& dy, const Rows& dx) const {
  multiply(dy, transposed(), out_, in_, false, dx);
}

void Fp32Linear::input_gradient_add(const Rows& dy, const Rows& dx) const {
  multiply(dy, transposed(), out_, in_, true, dx);
}

}  // namespace rallrec::models::llm
