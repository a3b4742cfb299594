#include "ops/info_nce.h"

#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "core/check.h"
#include "kernels/info_nce.h"

namespace rallrec::ops {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The blocks of one call, in order.
class Blocks {
 public:
  Blocks(const at::Tensor& x, const at::Tensor& y, double temperature, std::int64_t first_row,
         std::int64_t block_rows)
      : x_(x), y_(y), temperature_(temperature), first_row_(first_row) {
    rows_ = block_rows > 0 ? block_rows : std::max<std::int64_t>(x.size(0), 1);
  }

  std::int64_t count() const { return (x_.size(0) + rows_ - 1) / rows_; }
  // Row of x where block b starts.
  std::int64_t begin(std::int64_t b) const { return b * rows_; }
  kernels::InfoNceBlock block(std::int64_t b) const {
    return {x_.const_data_ptr<float>() + begin(b) * x_.size(1),
            y_.const_data_ptr<float>(),
            first_row_ + begin(b),
            std::min(rows_, x_.size(0) - begin(b)),
            y_.size(0),
            x_.size(1),
            static_cast<float>(temperature_)};
  }

 private:
  const at::Tensor& x_;
  const at::Tensor& y_;
  double temperature_;
  std::int64_t first_row_;
  std::int64_t rows_;
};

void check_inputs(const at::Tensor& x, const at::Tensor& y) {
  const auto fits = [](const at::Tensor& t) {
    return t.dim() == 2 && t.scalar_type() == at::kFloat && t.is_cpu() && t.is_contiguous();
  };
  RALLREC_CHECK(fits(x) && fits(y) && x.size(1) == y.size(1),
                "info_nce: needs contiguous fp32 CPU matrices of equal width");
}

struct Statistics {
  at::Tensor row_lse;     // fp64 [rows]
  at::Tensor column_lse;  // fp64 [N], over all rows of X
  double loss_sum = 0.0;
};

std::vector<double> join_columns(const InfoNceRows& rows, std::int64_t columns,
                                 const std::vector<double>& partial) {
  if (rows.join) {
    return rows.join(partial);
  }
  std::vector<double> joined(static_cast<std::size_t>(columns));
  const std::int64_t blocks =
      columns == 0 ? 0 : static_cast<std::int64_t>(partial.size()) / columns;
  kernels::combine_column_lse({}, partial.data(), blocks, columns, joined.data());
  return joined;
}

Statistics compute_statistics(const Blocks& blocks, const at::Tensor& x, std::int64_t columns,
                              const InfoNceRows& rows) {
  const auto options = at::TensorOptions().dtype(at::kDouble);
  Statistics result{at::empty({x.size(0)}, options), at::empty({columns}, options)};
  std::vector<double> partial(static_cast<std::size_t>(blocks.count() * columns));
  std::vector<float> positive(static_cast<std::size_t>(x.size(0)));
  double* row_lse = result.row_lse.data_ptr<double>();
  for (std::int64_t b = 0; b < blocks.count(); ++b) {
    kernels::info_nce_forward({}, blocks.block(b), row_lse + blocks.begin(b),
                              partial.data() + b * columns, positive.data() + blocks.begin(b));
  }
  const auto joined = join_columns(rows, columns, partial);
  RALLREC_CHECK(static_cast<std::int64_t>(joined.size()) == columns,
                "info_nce: the joined column statistics have the wrong size");
  std::copy(joined.begin(), joined.end(), result.column_lse.data_ptr<double>());
  for (std::int64_t b = 0; b < blocks.count(); ++b) {
    const double sum = kernels::info_nce_loss_sum(blocks.block(b), row_lse + blocks.begin(b),
                                                  joined.data(), positive.data() + blocks.begin(b));
    result.loss_sum += sum;
    if (rows.block_sums != nullptr) {
      rows.block_sums->push_back(sum);
    }
  }
  return result;
}

struct InfoNceFunction : torch::autograd::Function<InfoNceFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& y,
                            double temperature, const InfoNceRows& rows) {
    const Blocks blocks(x, y, temperature, rows.first_row, rows.block_rows);
    const Statistics statistics = compute_statistics(blocks, x, y.size(0), rows);
    context->save_for_backward({x, y, statistics.row_lse, statistics.column_lse});
    context->saved_data["temperature"] = temperature;
    context->saved_data["first_row"] = rows.first_row;
    context->saved_data["block_rows"] = rows.block_rows;
    const double count = static_cast<double>(std::max<std::int64_t>(y.size(0), 1));
    return at::scalar_tensor(statistics.loss_sum / count, x.options());
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& y = saved[1];
    const Blocks blocks(x, y, context->saved_data["temperature"].toDouble(),
                        context->saved_data["first_row"].toInt(),
                        context->saved_data["block_rows"].toInt());
    const double count = static_cast<double>(std::max<std::int64_t>(y.size(0), 1));
    const auto weight = static_cast<float>(gradients[0].item<double>() / count);
    at::Tensor grad_x = at::empty_like(x);
    at::Tensor grad_y = context->needs_input_grad(1) ? at::zeros_like(y) : at::Tensor();
    for (std::int64_t b = 0; b < blocks.count(); ++b) {
      kernels::info_nce_backward({}, blocks.block(b),
                                 saved[2].const_data_ptr<double>() + blocks.begin(b),
                                 saved[3].const_data_ptr<double>(), weight,
                                 grad_x.data_ptr<float>() + blocks.begin(b) * x.size(1),
                                 grad_y.defined() ? grad_y.data_ptr<float>() : nullptr);
    }
    return {grad_x, grad_y, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor info_nce(const at::Tensor& x, const at::Tensor& y, double temperature,
                    const InfoNceRows& rows) {
  check_inputs(x, y);
  return InfoNceFunction::apply(x, y, temperature, rows);
}

}  // namespace rallrec::ops
