#include "models/llm/whole_int8_weights.h"

#include "core/check.h"
#include "models/llm/int8_layer_source.h"
#include "models/llm/vocabulary_tables.h"

namespace rallrec::models::llm {
namespace {

class WholeInt8Weights : public WeightStore {
 public:
  WholeInt8Weights(const LlmConfig& config, QuantMode mode, const TensorSource& source,
                   Int8LayerCache& cache)
      : config_(config),
        mode_(mode),
        layout_(config, 1),
        tables_(config, false, source),
        wide_(wide_type_of_this_cpu()),
        panels_(static_cast<std::size_t>(config.layers)),
        layers_(panels_.size()) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      load_layer(layer, source, cache);
    }
  }

  const LayerWeights& layer(std::int64_t layer, std::int64_t) override {
    RALLREC_CHECK(layer >= 0 && layer < config_.layers, "there is no such layer");
    wide_.enter(layer);
    return layers_[static_cast<std::size_t>(layer)];
  }
  std::int64_t most_passes(std::int64_t mine) override { return mine; }

  void embed(const std::vector<std::int64_t>& ids, const at::Tensor& y) override {
    tables_.embed(ids, y);
  }
  const at::Tensor& final_norm() const override { return tables_.final_norm(); }
  const LmHead& head() const override { return tables_.head(); }
  std::string mode() const override { return name_of(mode_); }
  std::int64_t frozen_bytes() const override {
    return tables_.bytes() + wide_.bytes() +
           config_.layers * (layer_norm_bytes(config_.hidden_size) + layout_.gathered_bytes());
  }

 private:
  void load_layer(std::int64_t layer, const TensorSource& source, Int8LayerCache& cache) {
    LayerWeights& weights = layers_[static_cast<std::size_t>(layer)];
    const LayerNorms norms = load_norms(source, layer, config_.hidden_size);
    weights.attention_norm = norms.attention;
    weights.mlp_norm = norms.mlp;
    Int8Panels& panels = panels_[static_cast<std::size_t>(layer)];
    panels = load_panels(config_, layout_, layer, layout_.panels_of(0), source, cache);
    if (cache.lacks(layer)) {
      cache.write(layer, layout_, panels.bytes.data(), panels.scales.data());
    }
    view_linears(layout_, mode_, panels, wide_, weights);
  }

  LlmConfig config_;
  QuantMode mode_;
  Int8LayerLayout layout_;
  VocabularyTables tables_;
  WideLayer wide_;
  std::vector<Int8Panels> panels_;  // by layer
  std::vector<LayerWeights> layers_;
};

}  // namespace

std::unique_ptr<WeightStore> make_whole_int8_weights(const LlmConfig& config, QuantMode mode,
                                                     const TensorSource& source,
                                                     Int8LayerCache& cache) {
  return std::make_unique<WholeInt8Weights>(config, mode, source, cache);
}

}  // namespace rallrec::models::llm
