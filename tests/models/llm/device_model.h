#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/rng.h"
#include "kernels/int8_matmul.h"
#include "models/llm/device_weights.h"
#include "models/llm/llama_decoder.h"

namespace rallrec::models::llm {

// Random weights of a small decoder, without torch, for LlamaDecoder on any device.
struct DeviceModel {
  LlmConfig config;
  std::map<std::string, std::vector<float>> weights;

  DeviceWeightSource source() const {
    const FloatSource floats = [this](const std::string& name,
                                      const std::vector<std::int64_t>& shape, RowRange rows) {
      const std::vector<float>& values = weights.at(name);
      const auto width = static_cast<std::ptrdiff_t>(values.size()) / shape.front();
      return std::vector<float>(values.begin() + rows.first * width,
                                values.begin() + (rows.first + rows.count) * width);
    };
    return {floats,
            [this](const Int8LayerLayout& layout, std::int64_t layer,
                   Int8LayerLayout::PanelRange range) { return panels(layout, layer, range); }};
  }

  LlamaDecoder load(QuantMode mode, const distributed::Place& place, bool share = false) const {
    return {config, make_device_weights(config, mode, source(), place, share), place.queue};
  }

 private:
  // Quantised, packed and cut as a rank's part of a layer.
  Int8Panels panels(const Int8LayerLayout& layout, std::int64_t layer,
                    Int8LayerLayout::PanelRange range) const {
    Int8Panels result;
    for (const Linear linear : kLinears) {
      const Int8LayerLayout::Matrix& matrix = layout[linear];
      std::vector<std::int8_t> q(static_cast<std::size_t>(matrix.out * matrix.in));
      std::vector<float> scales(matrix.panels * 16);
      kernels::quantize_weight_rows(matrix.out, matrix.in,
                                    weights.at(weight_name(layer, linear)).data(), q.data(),
                                    scales.data());
      std::vector<std::int8_t> packed(matrix.panels * matrix.panel_bytes);
      kernels::pack_int8(q.data(), 1, matrix.in, matrix.in, matrix.out, packed.data());
      for (std::size_t panel = 0; panel < matrix.panels; ++panel) {
        if (panel + matrix.first_panel >= range.first && panel + matrix.first_panel < range.last) {
          const auto byte = static_cast<std::ptrdiff_t>(panel * matrix.panel_bytes);
          const auto size = static_cast<std::ptrdiff_t>(matrix.panel_bytes);
          const auto row = static_cast<std::ptrdiff_t>(panel) * 16;
          result.bytes.insert(result.bytes.end(), packed.begin() + byte,
                              packed.begin() + byte + size);
          result.scales.insert(result.scales.end(), scales.begin() + row,
                               scales.begin() + row + 16);
        }
      }
    }
    return result;
  }
};

inline std::vector<float> normal_floats(std::int64_t count, double scale, double mean,
                                        std::uint64_t stream) {
  Rng rng(7, stream);
  std::vector<float> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>(mean + scale * rng.next_normal()));
  }
  return values;
}

inline DeviceModel make_device_model(const LlmConfig& config) {
  DeviceModel model{config, {}};
  std::uint64_t stream = 0;
  const auto add = [&](const std::string& name, std::int64_t count, double scale, double mean) {
    model.weights[name] = normal_floats(count, scale, mean, stream++);
  };
  const std::int64_t hidden = config.hidden_size;
  add("model.embed_tokens.weight", config.vocab_size * hidden, 1.0, 0.0);
  add("model.norm.weight", hidden, 0.3, 1.0);
  if (!config.tied_embeddings) {
    add("lm_head.weight", config.vocab_size * hidden, 0.3, 0.0);
  }
  for (std::int64_t l = 0; l < config.layers; ++l) {
    const std::string prefix = "model.layers." + std::to_string(l) + ".";
    add(prefix + "input_layernorm.weight", hidden, 0.3, 1.0);
    add(prefix + "post_attention_layernorm.weight", hidden, 0.3, 1.0);
    for (const Linear linear : kLinears) {
      const LinearSize size = size_of(config, linear);
      add(weight_name(l, linear), size.out * size.in, 1.0 / std::sqrt(double(size.in)), 0.0);
    }
  }
  return model;
}

}  // namespace rallrec::models::llm
