#pragma once

#include <cstdint>
#include <string>

namespace rallrec::models::llm {

// Rotary scaling of Llama-3.1: low frequencies are divided by `factor`, high ones kept, those
// between interpolated. `factor` 1 = plain rotary embedding.
struct RopeScaling {
  double factor = 1.0;
  double low_freq_factor = 1.0;
  double high_freq_factor = 4.0;
  std::int64_t original_max_position = 8192;
};

// The architecture as config.json of a Hugging Face folder states it.
struct LlmConfig {
  std::int64_t hidden_size = 0;
  std::int64_t intermediate_size = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_dim = 0;
  std::int64_t vocab_size = 0;
  double rms_norm_eps = 1e-5;
  double rope_theta = 10000.0;
  RopeScaling rope_scaling;
  bool tied_embeddings = false;
  std::int64_t max_position = 2048;
};

// Reads and checks <folder>/config.json, both generations of it (rope_theta + rope_scaling, and
// rope_parameters). Throws kMissingInput or kBadData naming file and key.
LlmConfig read_llm_config(const std::string& folder);

}  // namespace rallrec::models::llm
