#include "models/llm/dense_weights.h"

#include "core/check.h"
#include "models/llm/dense_linear.h"
#include "models/llm/fp32_linear.h"
#include "models/llm/int8_linear.h"
#include "ops/decoder_ops.h"

namespace rallrec::models::llm {
namespace {

class DenseWeights : public WeightStore {
 public:
  DenseWeights(const LlmConfig& config, DenseType type, const TensorSource& source)
      : config_(config), type_(type), source_(source) {
    embedding_ = matrix("model.embed_tokens.weight", config.vocab_size, config.hidden_size);
    final_norm_ = norm("model.norm.weight");
    head_ = std::make_unique<DenseHead>(
        config.tied_embeddings ? embedding_
                               : matrix("lm_head.weight", config.vocab_size, config.hidden_size));
    layers_.resize(static_cast<std::size_t>(config.layers));
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      load_layer(layer);
    }
    source_ = nullptr;
  }

  void prefetch(std::int64_t) override {}

  const LayerWeights& layer(std::int64_t layer) override {
    return layers_.at(static_cast<std::size_t>(layer));
  }

  void embed(const std::vector<std::int64_t>& ids, const at::Tensor& y) override {
    ops::embedding_gather(embedding_, ids, y);
  }

  const at::Tensor& final_norm() const override { return final_norm_; }
  const LmHead& head() const override { return *head_; }
  std::string mode() const override {
    switch (type_) {
      case DenseType::kBfloat16:
        return "bf16";
      case DenseType::kInt8:
        return "w8a8";
      case DenseType::kFloat32:
        break;
    }
    return "fp32";
  }

 private:
  at::Tensor load(const std::string& name, const std::vector<std::int64_t>& shape) {
    const at::Tensor tensor = source_(name, shape);
    RALLREC_CHECK(tensor.scalar_type() == at::kFloat && tensor.sizes() == at::IntArrayRef(shape),
                  "DenseWeights: the source gave another shape for " + name);
    return tensor.contiguous();
  }

  at::Tensor norm(const std::string& name) { return load(name, {config_.hidden_size}); }

  at::Tensor matrix(const std::string& name, std::int64_t rows, std::int64_t columns) {
    const at::Tensor tensor = load(name, {rows, columns});
    return type_ == DenseType::kBfloat16 ? tensor.to(at::kBFloat16) : tensor;
  }

  std::unique_ptr<FrozenLinear> make_linear(at::Tensor weight) const {
    switch (type_) {
      case DenseType::kInt8:
        return std::make_unique<Int8Linear>(weight);
      case DenseType::kBfloat16:
        return std::make_unique<DenseLinear>(std::move(weight));
      case DenseType::kFloat32:
        break;
    }
    return std::make_unique<Fp32Linear>(weight);
  }

  void load_layer(std::int64_t layer) {
    LayerWeights& weights = layers_[static_cast<std::size_t>(layer)];
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    weights.attention_norm = norm(prefix + "input_layernorm.weight");
    weights.mlp_norm = norm(prefix + "post_attention_layernorm.weight");
    for (Linear linear : kLinears) {
      const LinearSize size = size_of(config_, linear);
      weights.linears[static_cast<std::size_t>(linear)] =
          make_linear(matrix(weight_name(layer, linear), size.out, size.in));
    }
  }

  LlmConfig config_;
  DenseType type_;
  TensorSource source_;
  at::Tensor embedding_;
  at::Tensor final_norm_;
  std::unique_ptr<LmHead> head_;
  std::vector<LayerWeights> layers_;
};

}  // namespace

std::unique_ptr<WeightStore> make_dense_weights(const LlmConfig& config, DenseType type,
                                                const TensorSource& source) {
  return std::make_unique<DenseWeights>(config, type, source);
}

}  // namespace rallrec::models::llm
