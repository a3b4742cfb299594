#pragma once

#include <cstdint>
#include <vector>

#include "models/llm/llm_config.h"

namespace rallrec::train {

// The length of one tokenised prompt, answer included, and how many of its tokens are trained on.
struct PromptSize {
  std::int64_t tokens = 0;
  std::int64_t labels = 0;
};

// What a prompt of n tokens costs: n · per_token + n² · per_token_pair, in multiply-adds of one
// decoder layer. Only the ratio of the two matters.
struct PackingCost {
  double per_token = 1.0;
  double per_token_pair = 0.0;

  double of(std::int64_t tokens) const;
};

// Linear layers cost their weights per token; causal attention costs 2 · heads · head_dim per pair
// of tokens (scores and values) over half of the square.
PackingCost packing_cost(const models::llm::LlmConfig& config);

// Micro-batches come in multiples of this, so that 1, 2, 4 or 8 ranks own whole subtrees of the
// gradient reduction.
constexpr std::int64_t kMicroBatchMultiple = 8;

// The micro-batches of one optimizer step: for each, the indices into `lengths` it holds,
// ascending; a micro-batch may be empty. Depends on the arguments alone, so every rank computes the
// same list.
//
// The number of micro-batches is the smallest multiple of kMicroBatchMultiple into which the
// prompts fit. Prompts go longest first to the cheapest micro-batch with room for them, and the
// micro-batches stand in an order that gives contiguous parts of the list nearly equal costs. No
// micro-batch exceeds `token_budget` unless a single prompt does, which then stands alone.
std::vector<std::vector<std::int64_t>> pack_balanced(const std::vector<std::int64_t>& lengths,
                                                     std::int64_t token_budget,
                                                     const PackingCost& cost);

// Batches of neighbouring prompts in the order given, each filled up to `token_budget` (a longer
// prompt stands alone): for passes without gradients, where prompts that share a prefix are best
// kept together. Batch b holds the indices [cuts[b], cuts[b + 1]).
std::vector<std::int64_t> pack_in_order(const std::vector<std::int64_t>& lengths,
                                        std::int64_t token_budget);

// Cuts `costs` into `parts` contiguous runs of nearly equal cost: part p is [cuts[p], cuts[p + 1]).
std::vector<std::int64_t> split_by_cost(const std::vector<double>& costs, std::int64_t parts);

}  // namespace rallrec::train
