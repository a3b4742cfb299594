#pragma once

#include <ATen/core/Tensor.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/rng.h"
#include "models/llm/llama_causal_lm.h"
#include "models/llm/make_weights.h"
#include "tests/models/llm/tiny_config.h"

namespace rallrec::models::llm {

// A model small enough for double-precision references, with random weights held by name.
struct TinyModel {
  LlmConfig config;
  std::map<std::string, at::Tensor> weights;

  std::unique_ptr<LlamaCausalLm> load(QuantMode mode = QuantMode::kFloat32) const {
    return std::make_unique<LlamaCausalLm>(config, make_weights(config, mode, source()));
  }
  std::unique_ptr<LlamaCausalLm> load_sharded(distributed::Communicator& communicator,
                                              QuantMode mode = QuantMode::kW8a8) const {
    return std::make_unique<LlamaCausalLm>(config,
                                           make_weights(config, mode, source(), {}, &communicator));
  }
  TensorSource source() const {
    return [this](const std::string& name, const std::vector<std::int64_t>&, RowRange rows) {
      return weights.at(name).narrow(0, rows.first, rows.count);
    };
  }
};

inline at::Tensor random_tensor(at::IntArrayRef shape, double scale, double mean,
                                std::uint64_t stream) {
  at::Tensor tensor = at::empty(shape, at::kFloat);
  Rng rng(7, stream);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<float>()[i] = static_cast<float>(mean + scale * rng.next_normal());
  }
  return tensor;
}

inline TinyModel make_tiny(const LlmConfig& config) {
  TinyModel model{config, {}};
  std::uint64_t stream = 0;
  const auto add = [&](const std::string& name, at::IntArrayRef shape, double scale, double mean) {
    model.weights[name] = random_tensor(shape, scale, mean, stream++);
  };
  add("model.embed_tokens.weight", {config.vocab_size, config.hidden_size}, 1.0, 0.0);
  add("model.norm.weight", {config.hidden_size}, 0.3, 1.0);
  if (!config.tied_embeddings) {
    add("lm_head.weight", {config.vocab_size, config.hidden_size}, 0.3, 0.0);
  }
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const std::string prefix = "model.layers." + std::to_string(l) + ".";
    add(prefix + "input_layernorm.weight", {config.hidden_size}, 0.3, 1.0);
    add(prefix + "post_attention_layernorm.weight", {config.hidden_size}, 0.3, 1.0);
    for (Linear linear : kLinears) {
      const LinearSize size = size_of(config, linear);
      add(weight_name(l, linear), {size.out, size.in}, 1.0 / std::sqrt(double(size.in)), 0.0);
    }
  }
  return model;
}

inline std::vector<std::int64_t> random_ids(std::int64_t count, std::int64_t vocabulary,
                                            std::uint64_t stream) {
  Rng rng(11, stream);
  std::vector<std::int64_t> ids;
  for (std::int64_t i = 0; i < count; ++i) {
    ids.push_back(static_cast<std::int64_t>(rng.next_below(std::uint64_t(vocabulary))));
  }
  return ids;
}

inline PackedBatch pack(const std::vector<std::vector<std::int64_t>>& sequences) {
  PackedBatch batch{{}, {0}};
  for (const auto& ids : sequences) {
    batch.ids.insert(batch.ids.end(), ids.begin(), ids.end());
    batch.offsets.push_back(batch.tokens());
  }
  return batch;
}

// LoRA with B not zero, so that every gradient is.
inline LoraAdapter make_adapter(const LlmConfig& config, const LoraOptions& options) {
  LoraAdapter adapter(config, options, 5);
  for (std::int64_t l = 0; l < config.layers; ++l) {
    for (const std::string& module : options.modules) {
      const at::Tensor b = adapter.b(l, module);
      b.copy_(random_tensor(b.sizes(), 0.2, 0.0, 1000 + std::uint64_t(l)));
    }
  }
  return adapter;
}

}  // namespace rallrec::models::llm
