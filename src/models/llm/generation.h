#pragma once

#include <cstdint>
#include <vector>

namespace rallrec::models::llm {

struct GenerationOptions {
  std::int64_t max_new_tokens = 128;
  // 0 = greedy: the largest logit, the smallest id among equals.
  double temperature = 0.0;
  // Sampling is from the smallest set of tokens whose probabilities sum to at least top_p.
  double top_p = 1.0;
  std::uint64_t seed = 0;
  // Only ids below it are chosen: a model's table may be longer than its tokenizer's. 0 = all.
  std::int64_t vocabulary = 0;
  // A generated id of these ends its text and is not part of it.
  std::vector<std::int64_t> stop_ids;
};

struct GenerationPrompt {
  std::vector<std::int64_t> ids;  // at least one
  // With seed and token position the Philox key of this prompt's draws.
  std::uint64_t index = 0;
};

}  // namespace rallrec::models::llm
