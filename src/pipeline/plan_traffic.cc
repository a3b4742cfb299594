#include "pipeline/plan_traffic.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/vocabulary_head.h"
#include "models/llm/int8_layer_layout.h"
#include "pipeline/plan_memory.h"

namespace rallrec::pipeline {
namespace {

std::int64_t most_waves(const std::vector<RankWork>& ranks) {
  std::int64_t waves = 0;
  for (const RankWork& rank : ranks) {
    waves = std::max(waves, rank.waves);
  }
  return waves;
}

// Gathers of a layer in a step. tune goes forth and back in every wave, and the two layers at which
// a pass turns are still in the buffers.
std::int64_t gathers(const PlanRequest& request, const std::vector<RankWork>& ranks) {
  const std::int64_t layers = request.model.layers;
  return request.trains ? 2 * std::max<std::int64_t>(0, layers - 2) * most_waves(ranks) : layers;
}

std::int64_t gathered_layers(const PlanRequest& request, const std::vector<RankWork>& ranks) {
  const models::llm::Int8LayerLayout layout(request.model, request.ranks);
  std::int64_t least = layout.shard_bytes(0);
  for (int rank = 1; rank < request.ranks; ++rank) {
    least = std::min(least, layout.shard_bytes(rank));
  }
  return gathers(request, ranks) * (layout.gathered_bytes() - least);
}

// Of `bytes` that lie evenly on all ranks, those that come from others.
std::int64_t from_others(const PlanRequest& request, std::int64_t bytes) {
  return bytes * (request.ranks - 1) / request.ranks;
}

// Each id goes to its owner once and its row comes back; that no two tokens are alike is the worst.
std::int64_t embedding_rows(const PlanRequest& request, const std::vector<RankWork>& ranks) {
  std::int64_t tokens = 0;
  for (const RankWork& rank : ranks) {
    tokens = std::max(tokens, rank.tokens);
  }
  return from_others(request, tokens * (8 + table_row_bytes(request)));
}

// Label rows of all ranks, the statistics of all blocks per 64 rows, and the gradients' partial
// sums and their result.
std::int64_t head_exchange(const PlanRequest& request) {
  const std::int64_t row = 4 * request.model.hidden_size;
  const std::int64_t chunks = (request.labels + kernels::kHeadRows - 1) / kernels::kHeadRows;
  const std::int64_t statistics =
      4 * kernels::kVocabularyBlocks * kernels::kHeadStatistics * kernels::kHeadRows;
  const std::int64_t gradients = request.trains ? 2 * request.labels * row : 0;
  return from_others(request, request.labels * (row + 8) + chunks * statistics + gradients);
}

std::int64_t gradient_tree(const PlanRequest& request) {
  return from_others(request, 2 * 4 * lora_parameters(request));
}

}  // namespace

void plan_traffic(const PlanRequest& request, const std::vector<RankWork>& ranks, Plan& plan) {
  const models::llm::LlmConfig& config = request.model;
  plan.waves = most_waves(ranks);
  for (const RankWork& rank : ranks) {
    plan.micro_batches += static_cast<std::int64_t>(rank.micro_batches.size());
    plan.recomputed += rank.recomputed;
  }
  const bool shared = shares_base(request);
  plan.gathers = shared ? gathers(request, ranks) : 0;
  plan.gathered_bytes = shared ? gathered_layers(request, ranks) : 0;
  plan.communication = {
      {"layers", plan.gathered_bytes},
      {"embedding rows, at most", shared ? embedding_rows(request, ranks) : 0},
      {"label rows and head", shared ? head_exchange(request) : 0},
      {"gradient tree", request.trains ? gradient_tree(request) : 0},
      {"losses", request.trains && request.ranks > 1 ? 24 * plan.micro_batches : 0}};
  const std::int64_t tables =
      config.vocab_size * config.hidden_size * (config.tied_embeddings ? 1 : 2);
  const std::int64_t passes =
      (request.trains ? 2 : 1) * ((plan.micro_batches + request.ranks - 1) / request.ranks);
  plan.fsdp_bytes = from_others(request, passes * 2 * (linear_parameters(config) + tables));
}

}  // namespace rallrec::pipeline
