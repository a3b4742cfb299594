#pragma once

#include <vector>

#include "models/llm/quant_mode.h"
#include "models/llm/vocabulary_tables.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// What the stores that have a model whole in this process share: tables, norms, layers by number.
// A subclass makes the linears of `layers_`.
class WholeWeights : public WeightStore {
 public:
  const LayerWeights& layer(std::int64_t layer, std::int64_t) override {
    return layers_.at(static_cast<std::size_t>(layer));
  }
  std::int64_t most_passes(std::int64_t mine) override { return mine; }
  void embed(const std::vector<std::int64_t>& ids, const Rows& y) override {
    tables_.embed(ids, y);
  }
  const float* final_norm() const override { return tables_.final_norm(); }
  const LmHead& head() const override { return tables_.head(); }
  std::string mode() const override { return name_of(mode_); }
  // Without the linears.
  std::int64_t frozen_bytes() const override {
    return tables_.bytes() + config_.layers * layer_norm_bytes(config_.hidden_size);
  }

 protected:
  WholeWeights(const LlmConfig& config, QuantMode mode, const TensorSource& source)
      : config_(config),
        mode_(mode),
        tables_(config, mode == QuantMode::kBfloat16, source),
        layers_(static_cast<std::size_t>(config.layers)) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      norms_.push_back(load_norms(source, layer, config.hidden_size));
      norms_.back().show_in(layers_[static_cast<std::size_t>(layer)]);
    }
  }

  LlmConfig config_;
  QuantMode mode_;
  VocabularyTables tables_;
  std::vector<LayerNorms> norms_;
  std::vector<LayerWeights> layers_;
};

}  // namespace rallrec::models::llm
