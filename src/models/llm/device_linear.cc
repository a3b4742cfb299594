#include "models/llm/device_linear.h"

#include <algorithm>

#include "core/check.h"
#include "kernels/columns.h"
#include "kernels/int8_rows.h"
#include "kernels/linear.h"
#include "kernels/outlier_rows.h"
#include "kernels/row_product.h"
#include "models/llm/int8_rules.h"

namespace rallrec::models::llm {
namespace {

using kernels::OutlierRule;
using kernels::OutlierSlots;
using kernels::ProductShape;

// What all have in common: y = x Wᵀ and dx = dy W with or without adding.
class DeviceLinear : public FrozenLinear {
 public:
  void forward(const LinearInput& x, const Rows& y) const override {
    check(x.x(), y);
    multiply(x, false, y);
  }
  void forward_add(const LinearInput& x, const Rows& y) const override {
    check(x.x(), y);
    multiply(x, true, y);
  }
  void input_gradient(const Rows& dy, const Rows& dx) const override {
    check(dx, dy);
    multiply_transposed(dy, false, dx);
  }
  void input_gradient_add(const Rows& dy, const Rows& dx) const override {
    check(dx, dy);
    multiply_transposed(dy, true, dx);
  }
  std::int64_t bytes() const override { return 0; }

 protected:
  DeviceLinear(LinearSize size, Arena& scratch) : size_(size), scratch_(scratch) {}
  virtual void multiply(const LinearInput& x, bool add, const Rows& y) const = 0;
  virtual void multiply_transposed(const Rows& dy, bool add, const Rows& dx) const = 0;

  const Queue& queue() const { return scratch_.queue(); }
  ProductShape shape(std::int64_t rows) const { return {rows, size_.out, size_.in}; }

  LinearSize size_;
  Arena& scratch_;

 private:
  void check(const Rows& x, const Rows& y) const {
    RALLREC_CHECK(x.columns == size_.in && y.columns == size_.out && x.rows == y.rows,
                  "DeviceLinear: expected matrices [rows, in] and [rows, out]");
  }
};

class Fp32DeviceLinear : public DeviceLinear {
 public:
  Fp32DeviceLinear(const float* weight, LinearSize size, Arena& scratch)
      : DeviceLinear(size, scratch), weight_(weight) {}

 protected:
  void multiply(const LinearInput& input, bool add, const Rows& y) const override {
    const Rows& x = input.x();
    const ArenaScope scope(scratch_);
    const Rows to = target(add, y);
    kernels::linear(queue(), {x.rows, size_.in, size_.out}, x.data, weight_, nullptr, to.data);
    finish(add, to, y);
  }
  void multiply_transposed(const Rows& dy, bool add, const Rows& dx) const override {
    const ArenaScope scope(scratch_);
    const Rows to = target(add, dx);
    kernels::linear_backward_input(queue(), {dy.rows, size_.in, size_.out}, dy.data, weight_,
                                   to.data);
    finish(add, to, dx);
  }

 private:
  Rows target(bool add, const Rows& y) const {
    return add ? scratch_.floats(y.rows, y.columns) : y;
  }
  void finish(bool add, const Rows& product, const Rows& y) const {
    if (add) {
      kernels::add_columns(queue(), kernels::vector_shape(y.count()), 1.0F, product.data, y.data);
    }
  }

  const float* weight_;
};

class Bfloat16DeviceLinear : public DeviceLinear {
 public:
  Bfloat16DeviceLinear(const std::uint16_t* weight, LinearSize size, Arena& scratch)
      : DeviceLinear(size, scratch), weight_(weight) {}

 protected:
  void multiply(const LinearInput& input, bool add, const Rows& y) const override {
    const Rows& x = input.x();
    kernels::bfloat16_product(queue(), shape(x.rows), x.data, weight_, add, y.data);
  }
  void multiply_transposed(const Rows& dy, bool add, const Rows& dx) const override {
    kernels::bfloat16_product_transposed(queue(), shape(dy.rows), dy.data, weight_, add, dx.data);
  }

 private:
  const std::uint16_t* weight_;
};

class Int8DeviceLinear : public DeviceLinear {
 public:
  Int8DeviceLinear(QuantMode mode, const Int8Rows& w, Bfloat16Rows& wide, Arena& scratch)
      : DeviceLinear({w.in, w.out}, scratch), mode_(mode), w_(w), wide_(wide) {}

 protected:
  void multiply(const LinearInput& input, bool add, const Rows& y) const override {
    const Rows& x = input.x();
    if (mode_ == QuantMode::kW8a16) {
      kernels::bfloat16_product(queue(), shape(x.rows), x.data, wide_.of(queue(), w_), add, y.data);
      return;
    }
    const OutlierRule& rule = mode_ == QuantMode::kW8a8 ? kRmsOutliers : kPaperOutliers;
    const DeviceQuantized& q = input.quantized_in(scratch_, rule);  // it outlives this call
    const ArenaScope scope(scratch_);
    auto* sums = scratch_.array<std::int32_t>(y.count());
    kernels::int8_product(queue(), shape(x.rows), q.q, w_.values, sums);
    bring_back(q, w_.scale, sums, add, y);
    kernels::add_outlier_rows(queue(), shape(x.rows), q.outliers, w_.values, w_.scale, y.data);
  }

  void multiply_transposed(const Rows& dy, bool add, const Rows& dx) const override {
    if (mode_ != QuantMode::kW8a8) {
      kernels::bfloat16_product_transposed(queue(), shape(dy.rows), dy.data, wide_.of(queue(), w_),
                                           add, dx.data);
      return;
    }
    const ArenaScope scope(scratch_);
    const DeviceQuantized q = quantize_in(scratch_, dy, w_.scale, kRmsOutliers);
    auto* sums = scratch_.array<std::int32_t>(dx.count());
    kernels::int8_product_transposed(queue(), shape(dy.rows), q.q, w_.values, sums);
    bring_back(q, nullptr, sums, add, dx);
    kernels::add_outlier_rows_transposed(queue(), shape(dy.rows), q.outliers, w_.values, dx.data);
  }

 private:
  void bring_back(const DeviceQuantized& q, const float* column_scale, const std::int32_t* sums,
                  bool add, const Rows& y) const {
    kernels::Int8Epilogue epilogue;
    epilogue.row_scale = q.scale;
    epilogue.column_scale = column_scale;
    epilogue.accumulate = add;
    kernels::int8_epilogue(queue(), y.rows, y.columns, sums, epilogue, y.data);
  }

  QuantMode mode_;
  Int8Rows w_;
  Bfloat16Rows& wide_;
};

}  // namespace

const std::uint16_t* Bfloat16Rows::of(const Queue& queue, const Int8Rows& w) {
  if (!there_) {
    there_ = true;
    values_.resize(static_cast<std::size_t>(w.out * w.in));
    kernels::dequantize_rows(queue, w.out, w.in, w.values, w.scale, values_.data());
  }
  return values_.data();
}

std::unique_ptr<FrozenLinear> make_device_linear(const float* weight, LinearSize size,
                                                 Arena& scratch) {
  return std::make_unique<Fp32DeviceLinear>(weight, size, scratch);
}

std::unique_ptr<FrozenLinear> make_device_linear(const std::uint16_t* weight, LinearSize size,
                                                 Arena& scratch) {
  return std::make_unique<Bfloat16DeviceLinear>(weight, size, scratch);
}

std::unique_ptr<FrozenLinear> make_device_linear(QuantMode mode, const Int8Rows& w,
                                                 Bfloat16Rows& wide, Arena& scratch) {
  RALLREC_CHECK(is_int8(mode), "make_device_linear: not an int8 mode");
  return std::make_unique<Int8DeviceLinear>(mode, w, wide, scratch);
}

}  // namespace rallrec::models::llm
