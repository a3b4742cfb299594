#include "pipeline/plan_traffic.h"

#include <algorithm>

#include "core/error.h"
#include "kernels/vocabulary_head.h"
#include "models/llm/int8_layer_layout.h"
#include "pipeline/plan_memory.h"

namespace rallrec::pipeline {
namespace {

// Useful rate and link of one rank. GPUs: half of the dense bf16 peak (989 TFLOP/s of an H100 or
// H200, 312 of an A100, as their vendor specifies) and 80 % of NVLink's specified rate per
// direction. cpu: the packed fp32 matmul of one thread on a Zen 1 core
// (docs/benchmarks/engine_zen1_202611.md), and memory copies inside a machine.
struct DeviceRates {
  const char* name;
  double flops;
  double link;  // bytes/s inside a node
};
constexpr DeviceRates kDevices[] = {
    {"cpu", 17e9, 5e9}, {"a100", 156e12, 240e9}, {"h100", 494e12, 360e9}, {"h200", 494e12, 360e9}};
constexpr double kBetweenNodes = 40e9;  // bytes/s, 80 % of a 400 Gb/s port

DeviceRates rates_of(const PlanRequest& request) {
  for (DeviceRates rates : kDevices) {
    if (request.device == rates.name) {
      if (request.device == "cpu") {
        rates.flops *=
            static_cast<double>(std::max<std::int64_t>(1, request.options.cluster.threads));
      }
      rates.flops = request.gflops > 0 ? request.gflops * 1e9 : rates.flops;
      rates.link = request.nodes > 1 ? std::min(rates.link, kBetweenNodes) : rates.link;
      return rates;
    }
  }
  throw_usage("--device " + request.device + ": expected cpu, a100, h100 or h200");
}

std::int64_t most_waves(const std::vector<RankWork>& ranks) {
  std::int64_t waves = 0;
  for (const RankWork& rank : ranks) {
    waves = std::max(waves, rank.waves);
  }
  return waves;
}

// The two layers at which a pass turns are still in the buffers.
std::int64_t gathered_layers(const PlanRequest& request, const std::vector<RankWork>& ranks) {
  const models::llm::Int8LayerLayout layout(request.model, request.ranks);
  std::int64_t least = layout.shard_bytes(0);
  for (int rank = 1; rank < request.ranks; ++rank) {
    least = std::min(least, layout.shard_bytes(rank));
  }
  return 2 * std::max<std::int64_t>(0, request.model.layers - 2) * most_waves(ranks) *
         (layout.gathered_bytes() - least);
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
  return from_others(request,
                     request.labels * (row + 8) + chunks * statistics + 2 * request.labels * row);
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
  plan.gathered_bytes = shared ? gathered_layers(request, ranks) : 0;
  plan.communication = {{"layers", plan.gathered_bytes},
                        {"embedding rows, at most", shared ? embedding_rows(request, ranks) : 0},
                        {"label rows and head", shared ? head_exchange(request) : 0},
                        {"gradient tree", from_others(request, 2 * 4 * lora_parameters(request))},
                        {"losses", request.ranks > 1 ? 24 * plan.micro_batches : 0}};
  const std::int64_t tables =
      config.vocab_size * config.hidden_size * (config.tied_embeddings ? 1 : 2);
  const std::int64_t passes = 2 * ((plan.micro_batches + request.ranks - 1) / request.ranks);
  plan.fsdp_bytes = from_others(request, passes * 2 * (linear_parameters(config) + tables));
}

void plan_times(const PlanRequest& request, const std::vector<RankWork>& ranks, Plan& plan) {
  const models::llm::LlmConfig& config = request.model;
  const auto width = static_cast<double>(config.heads * config.head_dim);
  const auto linear = static_cast<double>(linear_parameters(config));
  for (const std::int64_t length : request.lengths) {
    const auto n = static_cast<double>(length);
    plan.tokens += length;
    // Forward and input gradient of the linears; seven attention products over half of the square.
    plan.step_flops += 4.0 * n * linear + 7.0 * n * n * width * static_cast<double>(config.layers);
  }
  std::int64_t most = 0;
  for (const RankWork& rank : ranks) {
    most = std::max(most, rank.tokens);
  }
  const DeviceRates rates = rates_of(request);
  const double share =
      plan.tokens > 0 ? static_cast<double>(most) / static_cast<double>(plan.tokens) : 0.0;
  std::int64_t exposed = 0;  // what is not hidden behind computing
  for (const PlanRow& row : plan.communication) {
    exposed += row.bytes;
  }
  exposed -= plan.gathered_bytes;
  plan.gather_seconds = static_cast<double>(plan.gathered_bytes) / rates.link;
  plan.step_seconds = std::max(plan.step_flops * share / rates.flops, plan.gather_seconds) +
                      static_cast<double>(exposed) / rates.link;
}

}  // namespace rallrec::pipeline
