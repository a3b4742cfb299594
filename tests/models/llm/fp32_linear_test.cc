#include "models/llm/fp32_linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "ops/tensor_rows.h"

namespace rallrec::models::llm {
namespace {

struct Shape {
  std::int64_t rows, in, out;
};

class Fp32LinearShapes : public ::testing::TestWithParam<Shape> {};

double largest_difference(const at::Tensor& got, const at::Tensor& want) {
  return (got.to(at::kDouble) - want).abs().max().item<double>();
}

TEST_P(Fp32LinearShapes, EqualsTheProductsInDouble) {
  const auto [rows, in, out] = GetParam();
  at::manual_seed(7);
  const at::Tensor weight = at::randn({out, in});
  const at::Tensor x = at::randn({rows, in});
  const at::Tensor dy = at::randn({rows, out});
  const at::Tensor want_y = at::mm(x.to(at::kDouble), weight.t().to(at::kDouble));
  const at::Tensor want_dx = at::mm(dy.to(at::kDouble), weight.to(at::kDouble));
  const Fp32Linear linear(weight);
  const at::Tensor y = at::full({rows, out}, 5.0);
  const at::Tensor dx = at::full({rows, in}, 5.0);
  linear.forward(ops::rows_of(x), ops::rows_of(y));
  linear.input_gradient(ops::rows_of(dy), ops::rows_of(dx));
  EXPECT_LT(largest_difference(y, want_y), 1e-4);
  EXPECT_LT(largest_difference(dx, want_dx), 1e-4);
  linear.forward_add(ops::rows_of(x), ops::rows_of(y));
  linear.input_gradient_add(ops::rows_of(dy), ops::rows_of(dx));
  EXPECT_LT(largest_difference(y, 2.0 * want_y), 2e-4);
  EXPECT_LT(largest_difference(dx, 2.0 * want_dx), 2e-4);
}

INSTANTIATE_TEST_SUITE_P(All, Fp32LinearShapes,
                         ::testing::Values(Shape{1, 5, 3}, Shape{7, 33, 18}, Shape{110, 96, 64}));

TEST(Fp32Linear, RefusesAMatrixOfAnotherWidth) {
  const Fp32Linear linear(at::zeros({3, 5}));
  EXPECT_THROW(linear.forward(ops::rows_of(at::zeros({2, 4})), ops::rows_of(at::zeros({2, 3}))),
               std::exception);
  EXPECT_THROW(linear.forward(ops::rows_of(at::zeros({2, 5})), ops::rows_of(at::zeros({1, 3}))),
               std::exception);
}

}  // namespace
}  // namespace rallrec::models::llm
