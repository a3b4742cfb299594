#include "models/llm/kept_bytes.h"

#include <algorithm>

#include "kernels/dropout.h"

namespace rallrec::models::llm {
namespace {

std::int64_t layer_bytes(const LlmConfig& config, const LoraOptions& adapter, std::int64_t tokens,
                         std::int64_t queries) {
  std::int64_t bytes = 4 * kept_floats(config, tokens, queries);
  for (const Linear linear : kLinears) {
    const auto& modules = adapter.modules;
    if (std::find(modules.begin(), modules.end(), name_of(linear)) != modules.end()) {
      const bool all = linear == Linear::kK || linear == Linear::kV;
      const std::int64_t mask =
          adapter.dropout > 0.0 ? kernels::dropout_mask_bytes(size_of(config, linear).in) : 0;
      bytes += (all ? tokens : queries) * (4 * adapter.r + mask);
    }
  }
  return bytes;
}

}  // namespace

std::int64_t kept_floats(const LlmConfig& config, std::int64_t tokens, std::int64_t queries) {
  const std::int64_t of_tokens = 1 + 2 * config.kv_heads * config.head_dim;
  const std::int64_t of_queries = 1 + 2 * config.heads * config.head_dim + config.heads +
                                  2 * config.hidden_size + 2 * config.intermediate_size;
  return tokens * of_tokens + queries * of_queries;
}

std::int64_t kept_bytes(const LlmConfig& config, const LoraOptions& adapter,
                        const MicroBatchRows& rows, bool recompute) {
  const std::int64_t hidden = 4 * config.hidden_size;
  const std::int64_t whole = layer_bytes(config, adapter, rows.tokens, rows.tokens);
  const std::int64_t last = layer_bytes(config, adapter, rows.tokens, rows.labels);
  if (recompute) {
    const std::int64_t again = config.layers > 1 ? whole : last;
    return config.layers * hidden * rows.tokens + hidden * rows.labels + again;
  }
  return hidden * rows.tokens + (config.layers - 1) * whole + last;
}

std::int64_t gradient_bytes(const LlmConfig& config, const LoraOptions& adapter) {
  return 4 * LoraLayout(config, adapter).parameters();
}

}  // namespace rallrec::models::llm
