#pragma once

#include "models/llm/llm_config.h"

namespace rallrec::models::llm {

// Small enough for double-precision references; no two sizes are equal.
inline LlmConfig tiny_config() {
  LlmConfig config;
  config.hidden_size = 24;
  config.intermediate_size = 40;
  config.layers = 3;
  config.heads = 6;
  config.kv_heads = 2;
  config.head_dim = 4;
  config.vocab_size = 53;
  config.max_position = 128;
  return config;
}

}  // namespace rallrec::models::llm
