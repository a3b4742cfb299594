#pragma once

#include <cstdint>

#include "models/llm/llm_config.h"
#include "models/llm/lora_layout.h"

namespace rallrec::models::llm {

// Rows of a micro-batch: its tokens, and those whose logits have labels.
struct MicroBatchRows {
  std::int64_t tokens = 0;
  std::int64_t labels = 0;
};

// floats that layer_forward_keep takes for a layer whose queries are `queries` of `tokens` rows,
// its output included, without the adapter's.
std::int64_t kept_floats(const LlmConfig& config, std::int64_t tokens, std::int64_t queries);
inline std::int64_t kept_floats_per_token(const LlmConfig& config) {
  return kept_floats(config, 1, 1);
}

// Bytes that a pass with gradients keeps of a micro-batch, its embedded tokens and the adapter's
// masks and products included: all its activations, or with `recompute` the inputs of its layers
// and the activations of one. In the last layer, queries are the label rows.
std::int64_t kept_bytes(const LlmConfig& config, const LoraOptions& adapter,
                        const MicroBatchRows& rows, bool recompute);

// Bytes of one gradient of the adapter, which each micro-batch of a wave has until the wave ends.
std::int64_t gradient_bytes(const LlmConfig& config, const LoraOptions& adapter);

}  // namespace rallrec::models::llm
