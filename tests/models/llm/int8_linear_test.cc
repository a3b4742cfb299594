#include "models/llm/int8_linear.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace rallrec::models::llm {
namespace {

// absmax / 127 per row, ties to even, in double.
struct RowQuantized {
  explicit RowQuantized(const at::Tensor& x) {
    scale = x.abs().amax(1, true) / 127.0;
    values = at::where(scale > 0, (x / scale).round(), at::zeros_like(x));
  }
  at::Tensor values;
  at::Tensor scale;
};

struct Shape {
  std::int64_t rows, in, out;
};

class Int8LinearShapes : public ::testing::TestWithParam<Shape> {};

double relative_error(const at::Tensor& got, const at::Tensor& want) {
  return (got.to(at::kDouble) - want).norm().item<double>() / want.norm().item<double>();
}

TEST_P(Int8LinearShapes, EqualsTheFormulaInDouble) {
  const auto [rows, in, out] = GetParam();
  at::manual_seed(5);
  const at::Tensor weight = at::randn({out, in});
  const at::Tensor x = at::randn({rows, in});
  const at::Tensor dy = at::randn({rows, out});
  const Int8Linear linear(weight);
  const RowQuantized w(weight.to(at::kDouble));

  at::Tensor y = at::empty({rows, out});
  linear.forward(x, y);
  const RowQuantized qx(x.to(at::kDouble));
  const at::Tensor want_y = qx.scale * at::mm(qx.values, w.values.t()) * w.scale.t();
  EXPECT_LE(relative_error(y, want_y), 1e-3);

  at::Tensor dx = at::empty({rows, in});
  linear.input_gradient(dy, dx);
  const RowQuantized qdy(dy.to(at::kDouble) * w.scale.t());
  const at::Tensor want_dx = qdy.scale * at::mm(qdy.values, w.values);
  EXPECT_LE(relative_error(dx, want_dx), 1e-3);

  at::Tensor sum = at::ones({rows, in});
  linear.input_gradient_add(dy, sum);
  EXPECT_TRUE(at::allclose(sum, dx + 1.0, 1e-6, 1e-6));
}

INSTANTIATE_TEST_SUITE_P(All, Int8LinearShapes,
                         ::testing::Values(Shape{1, 5, 3}, Shape{7, 33, 18}, Shape{40, 96, 64}));

// The sums are exact, so a row does not notice its neighbours.
TEST(Int8Linear, RowsDoNotDependOnTheirNeighbours) {
  at::manual_seed(6);
  const Int8Linear linear(at::randn({24, 40}));
  const at::Tensor x = at::randn({13, 40});
  at::Tensor all = at::empty({13, 24});
  linear.forward(x, all);
  at::Tensor one = at::empty({1, 24});
  linear.forward(x.narrow(0, 9, 1), one);
  EXPECT_TRUE(at::equal(one, all.narrow(0, 9, 1)));
}

}  // namespace
}  // namespace rallrec::models::llm
