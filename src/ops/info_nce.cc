#include "ops/info_nce.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "kernels/info_nce.h"

namespace rallrec::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

kernels::InfoNceBlock all_rows(const at::Tensor& x, const at::Tensor& y, double temperature) {
  return {
      x.const_data_ptr<float>(),      y.const_data_ptr<float>(), 0, x.size(0), y.size(0), x.size(1),
      static_cast<float>(temperature)};
}

void check_inputs(const at::Tensor& x, const at::Tensor& y) {
  const auto fits = [](const at::Tensor& t) {
    return t.dim() == 2 && t.scalar_type() == at::kFloat && t.is_cpu() && t.is_contiguous();
  };
  RALLREC_CHECK(fits(x) && fits(y) && x.sizes() == y.sizes(),
                "info_nce: needs contiguous fp32 CPU matrices of equal shape");
}

double count_of(const at::Tensor& y) {
  return static_cast<double>(std::max<std::int64_t>(y.size(0), 1));
}

struct InfoNceFunction : torch::autograd::Function<InfoNceFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& y,
                            double temperature) {
    const auto options = at::TensorOptions().dtype(at::kDouble);
    const kernels::InfoNceBlock block = all_rows(x, y, temperature);
    const at::Tensor row_lse = at::empty({x.size(0)}, options);
    const at::Tensor column_lse = at::empty({y.size(0)}, options);
    std::vector<float> positive(static_cast<std::size_t>(x.size(0)));
    kernels::info_nce_forward({}, block, row_lse.data_ptr<double>(), column_lse.data_ptr<double>(),
                              positive.data());
    context->save_for_backward({x, y, row_lse, column_lse});
    context->saved_data["temperature"] = temperature;
    double sum = 0.0;
    kernels::info_nce_loss({}, block, row_lse.const_data_ptr<double>(),
                           column_lse.const_data_ptr<double>(), positive.data(), &sum);
    return at::scalar_tensor(sum / count_of(y), x.options());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& y = saved[1];
    const auto weight = static_cast<float>(gradients[0].item<double>() / count_of(y));
    at::Tensor grad_x = at::empty_like(x);
    at::Tensor grad_y = context->needs_input_grad(1) ? at::zeros_like(y) : at::Tensor();
    kernels::info_nce_backward({}, all_rows(x, y, context->saved_data["temperature"].toDouble()),
                               saved[2].const_data_ptr<double>(), saved[3].const_data_ptr<double>(),
                               weight, grad_x.data_ptr<float>(),
                               grad_y.defined() ? grad_y.data_ptr<float>() : nullptr);
    return {grad_x, grad_y, at::Tensor()};
  }
};

}  // namespace

at::Tensor info_nce(const at::Tensor& x, const at::Tensor& y, double temperature) {
  check_inputs(x, y);
  return InfoNceFunction::apply(x, y, temperature);
}

}  // namespace rallrec::ops
