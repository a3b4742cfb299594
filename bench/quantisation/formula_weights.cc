#include "formula_weights.h"

#include <ATen/ATen.h>

#include "models/llm/dense_weights.h"
#include "ops/tensor_rows.h"

namespace rallrec::bench {
namespace {

using namespace models::llm;

constexpr double kThreshold = 6.0;

// RoundedRows as round(x / s), s = absmax / 127, ties to even.
struct RoundedRows {
  explicit RoundedRows(const at::Tensor& x) {
    scale = x.abs().amax(1, true) / 127.0;
    values = at::where(scale > 0, (x / scale).round(), at::zeros_like(x));
  }
  at::Tensor dequantized() const { return values * scale; }

  at::Tensor values;
  at::Tensor scale;
};

class FormulaLinear : public FrozenLinear {
 public:
  FormulaLinear(const Formula& formula, const at::Tensor& weight) : formula_(formula) {
    const RoundedRows rows(weight.to(at::kDouble));
    q_ = rows.values.to(at::kChar);
    scale_ = rows.scale;
  }

  void forward(const LinearInput& x, const Rows& y) const override {
    ops::tensor_of(y).copy_(product(wide(x.x())));
  }
  void forward_add(const LinearInput& x, const Rows& y) const override {
    ops::tensor_of(y).add_(product(wide(x.x())).to(at::kFloat));
  }
  void input_gradient(const Rows& dy, const Rows& dx) const override {
    ops::tensor_of(dx).copy_(gradient(wide(dy)));
  }
  void input_gradient_add(const Rows& dy, const Rows& dx) const override {
    ops::tensor_of(dx).add_(gradient(wide(dy)).to(at::kFloat));
  }
  std::int64_t bytes() const override { return 0; }

 private:
  static at::Tensor wide(const Rows& rows) { return ops::tensor_of(rows).to(at::kDouble); }
  at::Tensor weight() const { return q_.to(at::kDouble) * scale_; }

  // x in int8 rows, but for the outliers.
  static at::Tensor without_rounding_of(const at::Tensor& outliers, const at::Tensor& x) {
    return at::where(outliers, x, RoundedRows(x.masked_fill(outliers, 0.0)).dequantized());
  }

  // The values that reach `outlier_limit` times the root mean square of what is left of their row
  // without larger ones.
  at::Tensor clipped(const at::Tensor& x) const {
    at::Tensor outliers = at::zeros_like(x, at::kBool);
    if (formula_.outlier_limit <= 0.0) {
      return outliers;
    }
    for (bool more = true; more;) {
      const at::Tensor rest = x.masked_fill(outliers, 0.0);
      const at::Tensor limit = formula_.outlier_limit * rest.pow(2).mean(1, true).sqrt();
      const at::Tensor next = outliers.logical_or((rest.abs() >= limit).logical_and(limit > 0));
      more = !next.equal(outliers);
      outliers = next;
    }
    return outliers;
  }

  // What the activations count as, in double.
  at::Tensor seen(const at::Tensor& x) const {
    if (formula_.forward == Formula::Forward::kW8a16) {
      return x;
    }
    if (formula_.forward == Formula::Forward::kW8a8) {
      return without_rounding_of(clipped(x), x);
    }
    at::Tensor outliers = x.abs() >= kThreshold;
    if (formula_.outlier_columns) {
      outliers = outliers.any(0, true).expand_as(x);
    }
    return without_rounding_of(outliers, x);
  }

  at::Tensor product(const at::Tensor& x) const { return at::mm(seen(x), weight().t()); }
  at::Tensor gradient(const at::Tensor& dy) const {
    if (!formula_.int8_gradient) {
      return at::mm(dy, weight());
    }
    const at::Tensor scaled = dy * scale_.t();
    return at::mm(without_rounding_of(clipped(scaled), scaled), q_.to(at::kDouble));
  }

  Formula formula_;
  at::Tensor q_;      // int8 [out, in]
  at::Tensor scale_;  // double [out, 1]
};

class FormulaWeights : public WeightStore {
 public:
  FormulaWeights(const LlmConfig& config, const Formula& formula, const TensorSource& source)
      : rest_(make_dense_weights(config, QuantMode::kFloat32, source)) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      LayerWeights weights;
      norms_.push_back(load_norms(source, layer, config.hidden_size));
      norms_.back().show_in(weights);
      for (const Linear linear : kLinears) {
        const LinearSize size = size_of(config, linear);
        weights.linears[static_cast<std::size_t>(linear)] = std::make_unique<FormulaLinear>(
            formula, load_whole(source, weight_name(layer, linear), {size.out, size.in}));
      }
      layers_.push_back(std::move(weights));
    }
  }

  const LayerWeights& layer(std::int64_t layer, std::int64_t) override {
    return layers_.at(static_cast<std::size_t>(layer));
  }
  std::int64_t most_passes(std::int64_t mine) override { return mine; }
  void embed(const std::vector<std::int64_t>& ids, const Rows& y) override { rest_->embed(ids, y); }
  const float* final_norm() const override { return rest_->final_norm(); }
  const LmHead& head() const override { return rest_->head(); }
  std::string mode() const override { return "formula"; }
  std::int64_t frozen_bytes() const override { return rest_->frozen_bytes(); }

 private:
  std::unique_ptr<WeightStore> rest_;
  std::vector<LayerNorms> norms_;
  std::vector<LayerWeights> layers_;
};

}  // namespace

std::unique_ptr<WeightStore> make_formula_weights(const LlmConfig& config, const Formula& formula,
                                                  const TensorSource& source) {
  return std::make_unique<FormulaWeights>(config, formula, source);
}

}  // namespace rallrec::bench
