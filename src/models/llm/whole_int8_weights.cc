#include "models/llm/whole_int8_weights.h"

#include "models/llm/int8_layer_source.h"
#include "models/llm/whole_weights.h"

namespace rallrec::models::llm {
namespace {

class WholeInt8Weights : public WholeWeights {
 public:
  WholeInt8Weights(const LlmConfig& config, QuantMode mode, const TensorSource& source,
                   Int8LayerCache& cache)
      : WholeWeights(config, mode, source),
        layout_(config, 1),
        wide_(wide_type_of_this_cpu()),
        panels_(layers_.size()) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      load_linears(layer, source, cache);
    }
  }

  const LayerWeights& layer(std::int64_t layer, std::int64_t next) override {
    wide_.enter(layer);
    return WholeWeights::layer(layer, next);
  }
  std::int64_t frozen_bytes() const override {
    return WholeWeights::frozen_bytes() + wide_.bytes() + config_.layers * layout_.gathered_bytes();
  }

 private:
  void load_linears(std::int64_t layer, const TensorSource& source, Int8LayerCache& cache) {
    Int8Panels& panels = panels_[static_cast<std::size_t>(layer)];
    panels = load_panels(config_, layout_, layer, layout_.panels_of(0), source, cache);
    if (cache.lacks(layer)) {
      cache.write(layer, layout_, panels.bytes.data(), panels.scales.data());
    }
    view_linears(layout_, mode_, panels, wide_, layers_[static_cast<std::size_t>(layer)]);
  }

  Int8LayerLayout layout_;
  WideLayer wide_;
  std::vector<Int8Panels> panels_;  // by layer
};

}  // namespace

std::unique_ptr<WeightStore> make_whole_int8_weights(const LlmConfig& config, QuantMode mode,
                                                     const TensorSource& source,
                                                     Int8LayerCache& cache) {
  return std::make_unique<WholeInt8Weights>(config, mode, source, cache);
}

}  // namespace rallrec::models::llm
