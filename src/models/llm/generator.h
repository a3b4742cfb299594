#pragma once

#include <cstdint>
#include <vector>

#include "models/llm/arena.h"
#include "models/llm/decoder_layer.h"
#include "models/llm/generation.h"
#include "models/llm/rope_table.h"
#include "models/llm/weight_store.h"

namespace rallrec::models::llm {

// What a generator borrows from its model.
struct GeneratorModel {
  const LlmConfig& config;
  WeightStore& weights;
  const RopeTable& rope;  // covers every position to come
  Arena& scratch;
  Arena& cache;
  const LoraWeights* adapter;
};

// Bytes of keys and values that one token takes in the cache of all layers.
inline std::int64_t kv_bytes_per_token(const LlmConfig& config) {
  return 2 * 4 * config.layers * config.kv_heads * config.head_dim;
}

// Decodes one batch of prompts: the common start of all prompts once, then the rest of each prompt,
// then token by token, sequences leaving as they end. Keys and values live in one slot per prompt,
// those of the common start in one place that all sequences read.
class Generator {
 public:
  Generator(const GeneratorModel& model, const std::vector<GenerationPrompt>& prompts,
            const GenerationOptions& options);
  std::vector<std::vector<std::int64_t>> run();

 private:
  struct LayerCache {
    Rows prefix_k, prefix_v;  // [prefix, kv_heads · head_dim]
    Rows k, v;                // [prompts · capacity, kv_heads · head_dim]
  };
  // Tokens that go through the layers together, and where their keys go in the cache.
  struct Tokens {
    explicit Tokens(const Queue& queue) : layout(queue), cache_rows(queue, "the batch") {}

    PackedLayout layout;                   // key_begin is a row of the cache
    DeviceArray<std::int64_t> cache_rows;  // one per token
  };

  void find_prefix();
  void allocate_cache();
  void fill_prefix();
  Rows fill_prompts();
  Tokens tokens_of(std::size_t begin, std::size_t end) const;
  std::size_t chunk_end(std::size_t begin) const;
  // Begins a pass through all layers with the tokens' embeddings.
  Rows embed(const std::vector<std::int64_t>& ids);
  const LayerWeights& weights_of(std::int64_t layer);
  // All layers over `hidden`, in place; keys and values of the tokens are stored in the cache.
  void run_layers(const Tokens& tokens, const Rows& hidden);
  void run_layer(std::int64_t layer, const Tokens& tokens, const Rows& hidden);
  // Chooses the next id of each active sequence from its last hidden state; drops those that end.
  void choose(const Rows& last_hidden);
  Rows step();

  GeneratorModel model_;
  const std::vector<GenerationPrompt>& prompts_;
  GenerationOptions options_;
  std::int64_t prefix_ = 0;
  std::int64_t capacity_ = 0;  // cache rows per prompt
  std::vector<LayerCache> cache_;
  std::vector<std::size_t> active_;  // prompts that still grow
  std::vector<std::vector<std::int64_t>> generated_;
};

}  // namespace rallrec::models::llm
