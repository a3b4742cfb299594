#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/device_array.h"
#include "models/llm/arena.h"
#include "models/llm/device_vocabulary.h"
#include "models/llm/device_weights.h"

namespace rallrec::models::llm {

// What every store on a device has: vocabulary, norms, and scratch memory for its linears.
class DeviceStore : public WeightStore {
 public:
  DeviceStore(const LlmConfig& config, QuantMode mode, const DeviceWeightSource& source,
              const Queue& queue)
      : config_(config),
        mode_(mode),
        queue_(queue),
        vocabulary_(config, mode == QuantMode::kBfloat16, source.floats, queue),
        scratch_(queue) {
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      const std::string prefix = "model.layers." + std::to_string(layer) + ".";
      add_norm(source, prefix + "input_layernorm.weight");
      add_norm(source, prefix + "post_attention_layernorm.weight");
    }
  }

  std::int64_t most_passes(std::int64_t mine) override { return mine; }
  void embed(const std::vector<std::int64_t>& ids, const Rows& y) override {
    vocabulary_.embed(ids, y);
  }
  const float* final_norm() const override { return vocabulary_.final_norm(); }
  const LmHead& head() const override { return vocabulary_; }
  std::string mode() const override { return name_of(mode_); }
  // Without the linears.
  std::int64_t frozen_bytes() const override {
    return vocabulary_.bytes() + 2 * 4 * config_.layers * config_.hidden_size;
  }

 protected:
  void show_norms(std::int64_t layer, LayerWeights& weights) const {
    weights.attention_norm = norms_[static_cast<std::size_t>(2 * layer)].data();
    weights.mlp_norm = norms_[static_cast<std::size_t>(2 * layer) + 1].data();
  }

  LlmConfig config_;
  QuantMode mode_;
  Queue queue_;
  DeviceVocabulary vocabulary_;
  Arena scratch_;

 private:
  void add_norm(const DeviceWeightSource& source, const std::string& name) {
    norms_.emplace_back(queue_, "the model",
                        source.floats(name, {config_.hidden_size}, {0, config_.hidden_size}));
  }

  std::vector<DeviceArray<float>> norms_;  // attention's and the MLP's of each layer
};

// The two kinds of store that make_device_weights chooses from.
std::unique_ptr<WeightStore> make_dense_device_weights(const LlmConfig& config, QuantMode mode,
                                                       const DeviceWeightSource& source,
                                                       const Queue& queue);
std::unique_ptr<WeightStore> make_int8_device_weights(const LlmConfig& config, QuantMode mode,
                                                      const DeviceWeightSource& source,
                                                      const distributed::Place& place, bool share);

}  // namespace rallrec::models::llm
