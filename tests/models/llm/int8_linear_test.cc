#include "models/llm/int8_linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "models/llm/int8_matrix.h"
#include "ops/tensor_rows.h"

namespace rallrec::models::llm {
namespace {

// absmax / 127 per row, ties to even, in double.
struct RowQuantized {
  explicit RowQuantized(const at::Tensor& x) {
    scale = x.abs().amax(1, true) / 127.0;
    values = at::where(scale > 0, (x / scale).round(), at::zeros_like(x));
  }
  at::Tensor dequantized() const { return values * scale; }

  at::Tensor values;
  at::Tensor scale;
};

// What w8a8 takes activations for: large values as they are, the rest as int8.
at::Tensor seen_in_w8a8(const at::Tensor& x) {
  at::Tensor rest = x;
  for (bool more = true; more;) {
    const at::Tensor limit = kRmsOutlierLimit * rest.pow(2).mean(1, true).sqrt();
    const at::Tensor next = rest.masked_fill((rest.abs() >= limit).logical_and(limit > 0), 0.0);
    more = !at::equal(next, rest);
    rest = next;
  }
  return x - rest + RowQuantized(rest).dequantized();
}

at::Tensor seen_in_llm_int8(const at::Tensor& x) {
  const at::Tensor rest = x.masked_fill(x.abs() >= kMagnitudeOutlierLimit, 0.0);
  return x - rest + RowQuantized(rest).dequantized();
}

struct Shape {
  std::int64_t rows, in, out;
};

double relative_error(const at::Tensor& got, const at::Tensor& want) {
  return (got.to(at::kDouble) - want).norm().item<double>() / want.norm().item<double>();
}

// Normal numbers, every 40th of them 20 times as large.
at::Tensor spiky(std::int64_t rows, std::int64_t columns) {
  const at::Tensor x = at::randn({rows, columns});
  return at::where(at::rand({rows, columns}) < 0.025, 20.0 * x, x).contiguous();
}

class Int8LinearShapes : public ::testing::TestWithParam<Shape> {
 protected:
  // y and dx of the mode against x and dy as it is to see them.
  void expect_formula(QuantMode mode, const at::Tensor& seen_x, const at::Tensor& seen_dy,
                      double tolerance) {
    const Int8Matrix matrix(weight_);
    WideMatrix wide(WideType::kFloat32);
    const auto linear = make_int8_linear(mode, matrix.view(), wide);
    const at::Tensor want_y = at::mm(seen_x, w_.dequantized().t());
    const at::Tensor want_dx = at::mm(seen_dy, w_.values);
    at::Tensor y = at::empty({rows_, out_});
    linear->forward(ops::rows_of(x_), ops::rows_of(y));
    EXPECT_LE(relative_error(y, want_y), tolerance);
    at::Tensor dx = at::empty({rows_, in_});
    linear->input_gradient(ops::rows_of(dy_), ops::rows_of(dx));
    EXPECT_LE(relative_error(dx, want_dx), tolerance);
    at::Tensor sum = at::ones({rows_, out_});
    linear->forward_add(ops::rows_of(x_), ops::rows_of(sum));
    EXPECT_LE(relative_error(sum, want_y + 1.0), tolerance);
    at::Tensor gradients = at::ones({rows_, in_});
    linear->input_gradient_add(ops::rows_of(dy_), ops::rows_of(gradients));
    EXPECT_LE(relative_error(gradients, want_dx + 1.0), tolerance);
  }

  void SetUp() override {
    at::manual_seed(5);
    weight_ = at::randn({out_, in_});
    x_ = spiky(rows_, in_);
    dy_ = spiky(rows_, out_);
    w_ = RowQuantized(weight_.to(at::kDouble));
    wide_x_ = x_.to(at::kDouble);
    scaled_dy_ = dy_.to(at::kDouble) * w_.scale.t();
  }

  std::int64_t rows_ = GetParam().rows;
  std::int64_t in_ = GetParam().in;
  std::int64_t out_ = GetParam().out;
  at::Tensor weight_, x_, dy_;
  RowQuantized w_{at::ones({1, 1}, at::kDouble)};
  at::Tensor wide_x_, scaled_dy_;
};

// A value that rounds to the other neighbour in fp32 is what the tolerance of 1e-3 is for.
TEST_P(Int8LinearShapes, W8a8EqualsTheFormulaInDouble) {
  expect_formula(QuantMode::kW8a8, seen_in_w8a8(wide_x_), seen_in_w8a8(scaled_dy_), 1e-3);
}

TEST_P(Int8LinearShapes, LlmInt8EqualsTheFormulaInDouble) {
  expect_formula(QuantMode::kLlmInt8, seen_in_llm_int8(wide_x_), scaled_dy_, 1e-3);
}

TEST_P(Int8LinearShapes, W8a16EqualsTheFormulaInDouble) {
  expect_formula(QuantMode::kW8a16, wide_x_, scaled_dy_, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(All, Int8LinearShapes,
                         ::testing::Values(Shape{1, 5, 3}, Shape{7, 33, 18}, Shape{40, 96, 64},
                                           Shape{20, 200, 130}));

// bf16 keeps 8 bits of activation and weight.
TEST(Int8Linear, W8a16InBfloat16IsNearTheFormula) {
  at::manual_seed(7);
  const at::Tensor weight = at::randn({48, 80});
  const at::Tensor x = at::randn({9, 80});
  const Int8Matrix matrix(weight);
  WideMatrix wide(WideType::kBfloat16);
  const auto linear = make_int8_linear(QuantMode::kW8a16, matrix.view(), wide);
  at::Tensor y = at::empty({9, 48});
  linear->forward(ops::rows_of(x), ops::rows_of(y));
  const at::Tensor w = RowQuantized(weight.to(at::kDouble)).dequantized();
  EXPECT_LE(relative_error(y, at::mm(x.to(at::kDouble), w.t())), 5e-3);
  at::Tensor dx = at::empty({9, 80});
  linear->input_gradient(ops::rows_of(y), ops::rows_of(dx));
  EXPECT_LE(relative_error(dx, at::mm(y.to(at::kDouble), w)), 5e-3);
}

// A few huge values must not cost the others their bits: plain absmax quantisation would round all
// of them to zero.
TEST(Int8Linear, W8a8KeepsSmallValuesBesideHugeOnes) {
  at::manual_seed(8);
  const at::Tensor weight = at::randn({32, 256});
  const at::Tensor x = at::randn({4, 256});
  x.select(1, 100).fill_(5000.0);
  const Int8Matrix matrix(weight);
  WideMatrix wide(WideType::kFloat32);
  const auto linear = make_int8_linear(QuantMode::kW8a8, matrix.view(), wide);
  at::Tensor y = at::empty({4, 32});
  linear->forward(ops::rows_of(x), ops::rows_of(y));
  const at::Tensor w = RowQuantized(weight.to(at::kDouble)).dequantized();
  const at::Tensor huge = 5000.0 * w.select(1, 100);
  const at::Tensor rest = x.to(at::kDouble).index_fill(1, at::tensor({100}, at::kLong), 0.0);
  EXPECT_LE(relative_error(y.to(at::kDouble) - huge, at::mm(rest, w.t())), 0.02);
}

TEST(Int8Linear, RowsDoNotDependOnTheirNeighbours) {
  at::manual_seed(6);
  const Int8Matrix matrix(at::randn({24, 80}));
  const at::Tensor x = spiky(13, 80);
  for (const QuantMode mode : {QuantMode::kW8a8, QuantMode::kW8a16, QuantMode::kLlmInt8}) {
    WideMatrix wide(WideType::kFloat32);
    const auto linear = make_int8_linear(mode, matrix.view(), wide);
    at::Tensor all = at::empty({13, 24});
    linear->forward(ops::rows_of(x), ops::rows_of(all));
    at::Tensor one = at::empty({1, 24});
    linear->forward(ops::rows_of(x.narrow(0, 9, 1)), ops::rows_of(one));
    EXPECT_TRUE(at::equal(one, all.narrow(0, 9, 1))) << name_of(mode);
  }
}

}  // namespace
}  // namespace rallrec::models::llm
