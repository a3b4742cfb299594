#include "ops/info_nce.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <mutex>

#include "core/error.h"
#include "distributed/thread_communicator.h"
#include "kernels/info_nce.h"
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

class InfoNceBlockRows : public ::testing::TestWithParam<std::int64_t> {};

TEST_P(InfoNceBlockRows, DifferentiatesLikeAtenInDouble) {
  const auto x = unit_rows(75, 12, 1).set_requires_grad(true);
  const auto y = unit_rows(75, 12, 2).set_requires_grad(true);
  InfoNceRows rows;
  rows.block_rows = GetParam();
  const auto loss = info_nce(x, y, 0.2, rows) * 3.0;
  const auto grads = torch::autograd::grad({loss}, {x, y});
  const auto expected = reference(x.detach(), y.detach(), 0.2);
  EXPECT_NEAR(loss.item<double>(), 3.0 * expected.loss.item<double>(), 1e-5);
  EXPECT_LT((grads[0].to(at::kDouble) - 3.0 * expected.grad_x).abs().max().item<double>(), 1e-6);
  EXPECT_LT((grads[1].to(at::kDouble) - 3.0 * expected.grad_y).abs().max().item<double>(), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Rows, InfoNceBlockRows, ::testing::Values(0, 1, 20, 75, 200));

// Each rank holds a block of rows and exchanges column statistics only.
Values over_ranks(const at::Tensor& x, const at::Tensor& y, int ranks) {
  Values total{at::zeros({}, at::kDouble), at::zeros_like(x), at::zeros_like(y)};
  std::mutex mutex;
  const std::int64_t n = x.size(0);
  distributed::run_thread_ranks(ranks, [&](distributed::Communicator& communicator) {
    const std::int64_t begin = n * communicator.rank() / ranks;
    const std::int64_t end = n * (communicator.rank() + 1) / ranks;
    InfoNceRows rows;
    rows.first_row = begin;
    rows.join = [&](const std::vector<double>& partial) {
      std::vector<double> all(static_cast<std::size_t>(n * ranks)), joined(n);
      communicator.all_gather(partial.data(), all.data(), static_cast<std::size_t>(n),
                              distributed::DType::kFloat64);
      kernels::combine_column_lse({}, all.data(), ranks, n, joined.data());
      return joined;
    };
    const auto mine = x.slice(0, begin, end).clone().set_requires_grad(true);
    const auto columns = y.clone().set_requires_grad(true);
    const auto loss = info_nce(mine, columns, 0.5, rows);
    const auto grads = torch::autograd::grad({loss}, {mine, columns});
    const std::lock_guard<std::mutex> lock(mutex);
    total.loss += loss.detach();
    total.grad_x.slice(0, begin, end).copy_(grads[0]);
    total.grad_y += grads[1];
  });
  return total;
}

TEST(InfoNce, RowBlocksOverRanksGiveTheWholeLossAndGradient) {
  const auto x = unit_rows(75, 12, 3);
  const auto y = unit_rows(75, 12, 4);
  const auto expected = reference(x, y, 0.5);
  for (const int ranks : {1, 2, 3, 4}) {
    const auto got = over_ranks(x, y, ranks);
    EXPECT_NEAR(got.loss.item<double>(), expected.loss.item<double>(), 1e-6) << ranks;
    EXPECT_LT((got.grad_x - expected.grad_x).abs().max().item<double>(), 1e-6) << ranks;
    EXPECT_LT((got.grad_y - expected.grad_y).abs().max().item<double>(), 1e-6) << ranks;
  }
}

TEST(InfoNce, RefusesOtherTypes) {
  EXPECT_THROW(info_nce(at::zeros({2, 2}, at::kDouble), at::zeros({2, 2}), 1.0), Error);
  EXPECT_THROW(info_nce(at::zeros({2, 2}), at::zeros({2, 3}), 1.0), Error);
}

}  // namespace
}  // namespace rallrec::ops
