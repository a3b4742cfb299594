#include "models/llm/dense_weights.h"

#include "core/check.h"
#include "models/llm/dense_linear.h"
#include "models/llm/fp32_linear.h"
#include "models/llm/vocabulary_tables.h"

namespace rallrec::models::llm {
namespace {

class DenseWeights : public WeightStore {
 public:
  DenseWeights(const LlmConfig& config, QuantMode mode, const TensorSource& source)
      : config_(config),
        mode_(mode),
        tables_(config, mode == QuantMode::kBfloat16, source),
        layers_(static_cast<std::size_t>(config.layers)) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      load_layer(layer, source);
    }
  }

  const LayerWeights& layer(std::int64_t layer, std::int64_t) override {
    return layers_.at(static_cast<std::size_t>(layer));
  }
  std::int64_t most_passes(std::int64_t mine) override { return mine; }

  void embed(const std::vector<std::int64_t>& ids, const at::Tensor& y) override {
    tables_.embed(ids, y);
  }
  const at::Tensor& final_norm() const override { return tables_.final_norm(); }
  const LmHead& head() const override { return tables_.head(); }
  std::string mode() const override { return name_of(mode_); }
  std::int64_t frozen_bytes() const override {
    std::int64_t bytes = tables_.bytes();
    for (const LayerWeights& layer : layers_) {
      bytes += layer_norm_bytes(config_.hidden_size);
      for (const auto& linear : layer.linears) {
        bytes += linear->bytes();
      }
    }
    return bytes;
  }

 private:
  std::unique_ptr<FrozenLinear> make_linear(const at::Tensor& weight) const {
    if (mode_ == QuantMode::kBfloat16) {
      return std::make_unique<DenseLinear>(weight.to(at::kBFloat16));
    }
    return std::make_unique<Fp32Linear>(weight);
  }

  void load_layer(std::int64_t layer, const TensorSource& source) {
    LayerWeights& weights = layers_[static_cast<std::size_t>(layer)];
    const LayerNorms norms = load_norms(source, layer, config_.hidden_size);
    weights.attention_norm = norms.attention;
    weights.mlp_norm = norms.mlp;
    for (Linear linear : kLinears) {
      const LinearSize size = size_of(config_, linear);
      weights.linears[static_cast<std::size_t>(linear)] =
          make_linear(load_whole(source, weight_name(layer, linear), {size.out, size.in}));
    }
  }

  LlmConfig config_;
  QuantMode mode_;
  VocabularyTables tables_;
  std::vector<LayerWeights> layers_;
};

}  // namespace

std::unique_ptr<WeightStore> make_dense_weights(const LlmConfig& config, QuantMode mode,
                                                const TensorSource& source) {
  RALLREC_CHECK(!is_int8(mode), "make_dense_weights: an int8 mode");
  return std::make_unique<DenseWeights>(config, mode, source);
}

}  // namespace rallrec::models::llm
