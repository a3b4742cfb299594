#include "ops/info_nce.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/error.h"
#include "tests/support/random_floats.h"

namespace rallrec::ops {
namespace {

at::Tensor unit_rows(std::int64_t rows, std::int64_t width, std::uint64_t seed) {
  auto values = rallrec::testing::random_floats(rows * width, seed);
  const auto t = at::from_blob(values.data(), {rows, width}, at::kFloat).clone();
  return t / t.norm(2, 1, true);
}

// Eq. 5 by ATen's own softmax, in double.
at::Tensor reference_loss(const at::Tensor& x, const at::Tensor& y, double temperature) {
  const at::Tensor s = x.matmul(y.t()) / temperature;
  return -(at::log_softmax(s, 1).diagonal() + at::log_softmax(s, 0).diagonal()).mean();
}

struct Values {
  at::Tensor loss, grad_x, grad_y;
};

Values reference(const at::Tensor& x, const at::Tensor& y, double temperature) {
  const auto xd = x.to(at::kDouble).set_requires_grad(true);
  const auto yd = y.to(at::kDouble).set_requires_grad(true);
  const auto loss = reference_loss(xd, yd, temperature);
  const auto grads = torch::autograd::grad({loss}, {xd, yd});
  return {loss, grads[0], grads[1]};
}

TEST(InfoNce, DifferentiatesLikeAtenInDouble) {
  const auto x = unit_rows(75, 12, 1).set_requires_grad(true);
  const auto y = unit_rows(75, 12, 2).set_requires_grad(true);
  const auto loss = info_nce(x, y, 0.2) * 3.0;
  const auto grads = torch::autograd::grad({loss}, {x, y});
  const auto expected = reference(x.detach(), y.detach(), 0.2);
  EXPECT_NEAR(loss.item<double>(), 3.0 * expected.loss.item<double>(), 1e-5);
  EXPECT_LT((grads[0].to(at::kDouble) - 3.0 * expected.grad_x).abs().max().item<double>(), 1e-6);
  EXPECT_LT((grads[1].to(at::kDouble) - 3.0 * expected.grad_y).abs().max().item<double>(), 1e-6);
}

TEST(InfoNce, AFrozenYHasNoGradient) {
  const auto x = unit_rows(20, 6, 3).set_requires_grad(true);
  const auto y = unit_rows(20, 6, 4);
  const auto expected = reference(x.detach(), y, 0.5);
  const auto grads = torch::autograd::grad({info_nce(x, y, 0.5)}, {x});
  EXPECT_LT((grads[0].to(at::kDouble) - expected.grad_x).abs().max().item<double>(), 1e-6);
}

TEST(InfoNce, RefusesOtherTypes) {
  EXPECT_THROW(info_nce(at::zeros({2, 2}, at::kDouble), at::zeros({2, 2}), 1.0), Error);
  EXPECT_THROW(info_nce(at::zeros({2, 2}), at::zeros({2, 3}), 1.0), Error);
}

}  // namespace
}  // namespace rallrec::ops
