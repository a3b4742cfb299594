#include "pipeline/plan_memory.h"

#include <algorithm>
#include <cmath>

#include "kernels/tile_matmul.h"
#include "kernels/vocabulary_head.h"
#include "models/llm/int8_layer_layout.h"
#include "models/llm/quant_mode.h"
#include "models/llm/tensor_source.h"

namespace rallrec::pipeline {
namespace {

using models::llm::Int8LayerLayout;
using models::llm::kLinears;
using models::llm::LinearSize;
using models::llm::LlmConfig;
using models::llm::QuantMode;

QuantMode mode_of(const PlanRequest& request) {
  return models::llm::quant_mode_of(request.options.model.quant);
}

// With fp32 weights the input gradient reads a second copy, which query, key and value of the first
// layer need not have.
std::int64_t second_copies(const LlmConfig& config) {
  std::int64_t floats = 0;
  for (const models::llm::Linear linear : kLinears) {
    const bool reads_norm = linear == models::llm::Linear::kQ ||
                            linear == models::llm::Linear::kK || linear == models::llm::Linear::kV;
    const LinearSize size = size_of(config, linear);
    floats += (config.layers - (reads_norm ? 1 : 0)) * kernels::packed_size(size.out, size.in);
  }
  return 4 * floats;
}

// The matrices of all layers where a rank has them whole.
std::int64_t whole_layers(const LlmConfig& config, QuantMode mode) {
  if (mode == QuantMode::kBfloat16) {
    return 2 * linear_parameters(config);
  }
  if (is_int8(mode)) {
    return config.layers * Int8LayerLayout(config, 1).gathered_bytes();
  }
  std::int64_t floats = 0;
  for (const models::llm::Linear linear : kLinears) {
    const LinearSize size = size_of(config, linear);
    floats += kernels::packed_size(size.in, size.out);
  }
  return 4 * config.layers * floats + second_copies(config);
}

// Rows of a table that the rank keeps.
std::int64_t table_rows(const PlanRequest& request, int rank) {
  if (!shares_base(request)) {
    return request.model.vocab_size;
  }
  const auto first = [&](int r) {
    return kernels::vocabulary_block_begin(request.model.vocab_size,
                                           kernels::kVocabularyBlocks * r / request.ranks);
  };
  return first(rank + 1) - first(rank);
}

void add_frozen(const PlanRequest& request, int rank, Plan& plan) {
  const LlmConfig& config = request.model;
  const Int8LayerLayout layout(config, request.ranks);
  const bool shared = shares_base(request);
  const std::int64_t layers =
      shared ? config.layers * layout.shard_bytes(rank) : whole_layers(config, mode_of(request));
  const std::int64_t norms =
      config.layers * models::llm::layer_norm_bytes(config.hidden_size) + 4 * config.hidden_size;
  const std::int64_t tables = config.tied_embeddings ? 1 : 2;
  plan.memory.push_back({"layers", layers + norms});
  plan.memory.push_back({"gather buffers", shared ? 2 * layout.gathered_bytes() : 0});
  plan.memory.push_back(
      {"embedding and head", tables * table_rows(request, rank) * table_row_bytes(request)});
  for (std::size_t i = plan.memory.size() - 3; i < plan.memory.size(); ++i) {
    plan.frozen_bytes += plan.memory[i].bytes;
  }
}

// The adapter, what is summed of its gradients (one per micro-batch of a wave, the tree's open
// nodes and their exchange, the sum), and Adam's two moments.
std::int64_t adapter_bytes(const PlanRequest& request, const RankWork& work) {
  if (!request.trains) {
    return 4 * lora_parameters(request);
  }
  const auto nodes = static_cast<std::int64_t>(std::ceil(
                         std::log2(static_cast<double>(std::max<std::int64_t>(1, work.leaves))))) +
                     1;
  const std::int64_t exchange = request.ranks > 1 ? 2 : 1;
  const std::int64_t copies = 3 + work.wave_micro_batches + nodes + exchange + 2;
  return 4 * copies * lora_parameters(request);
}

// Arena of one layer's way back: the wider of MLP and attention with their norms, and an adapter's
// input and its gradient; beside it the rounded copy of a linear's input.
std::int64_t layer_scratch(const PlanRequest& request, std::int64_t tokens) {
  const LlmConfig& config = request.model;
  const std::int64_t mlp = 2 * config.intermediate_size + 4 * config.hidden_size;
  const std::int64_t attention =
      2 * (config.heads + config.kv_heads) * config.head_dim + 4 * config.hidden_size;
  // int8 values travel as int16 up to AVX2; bf16 rounds a linear's input and its output.
  const std::int64_t rounded = mode_of(request) == QuantMode::kFloat32    ? 0
                               : mode_of(request) == QuantMode::kBfloat16 ? 4
                                                                          : 2;
  return tokens * (4 * std::max(mlp, attention) + rounded * config.intermediate_size);
}

// Logits of up to 64 rows over the rank's blocks, their statistics, and the gradient's partial sums
// per block.
std::int64_t head_scratch(const PlanRequest& request, int rank) {
  const std::int64_t labels =
      std::max<std::int64_t>(1, std::min(request.labels, kernels::kHeadRows));
  const std::int64_t width = kernels::head_width(labels);
  const std::int64_t blocks = shares_base(request) ? kernels::kVocabularyBlocks / request.ranks
                                                   : kernels::kVocabularyBlocks;
  return 4 * (table_rows(request, rank) * width +
              kernels::kVocabularyBlocks * kernels::kHeadStatistics * width +
              blocks * labels * request.model.hidden_size);
}

// Code and tables of the libraries that the first step touches: 8 to 12 MB were seen.
constexpr std::int64_t kFirstTouch = 10'000'000;
// Blocks above it go back to the system when they are freed; what loading freed of smaller ones
// stays with glibc, which keeps more the larger the blocks were.
constexpr std::int64_t kLargestHeapBlock = std::int64_t{32} << 20;

// The largest tensor that is in memory as fp32 while it is read, and the packed copy beside it.
std::int64_t loading_bytes(const PlanRequest& request) {
  const LlmConfig& config = request.model;
  const std::int64_t whole = 8 * config.hidden_size * config.intermediate_size;
  const std::int64_t rows =
      4 * std::min<std::int64_t>(config.vocab_size, 4096) * config.hidden_size;
  return shares_base(request) ? rows : std::max(whole, rows);
}

}  // namespace

bool shares_base(const PlanRequest& request) {
  return is_int8(mode_of(request)) && request.ranks > 1 && !request.options.cluster.replicate_base;
}

std::int64_t linear_parameters(const LlmConfig& config) {
  std::int64_t sum = 0;
  for (const models::llm::Linear linear : kLinears) {
    sum += size_of(config, linear).out * size_of(config, linear).in;
  }
  return sum * config.layers;
}

std::int64_t table_row_bytes(const PlanRequest& request) {
  const bool narrow = request.bfloat16_tables || mode_of(request) == QuantMode::kBfloat16;
  return (narrow ? 2 : 4) * request.model.hidden_size;
}

void plan_memory(const PlanRequest& request, int rank, const RankWork& work, Plan& plan) {
  plan.memory = {{"process before the model", request.process_bytes}};
  plan.frozen_bytes = 0;
  add_frozen(request, rank, plan);
  const std::int64_t adapter = adapter_bytes(request, work);
  const std::int64_t scratch = layer_scratch(request, work.longest);
  const std::int64_t head = head_scratch(request, rank);
  plan.memory.push_back({"adapter, gradients, Adam", adapter});
  plan.memory.push_back({"kept activations", work.kept_bytes});
  plan.memory.push_back({"layer scratch", scratch});
  plan.memory.push_back({"head scratch", head});
  const std::int64_t loading = loading_bytes(request);
  const std::int64_t left = std::min(loading, kLargestHeapBlock) + kFirstTouch;
  plan.memory.push_back({"left of loading and first use", left});
  const std::int64_t working = adapter + work.kept_bytes + scratch + head + left;
  plan.memory.push_back({"loading beyond all that", std::max<std::int64_t>(0, loading - working)});
  plan.model_bytes = plan.frozen_bytes + std::max(working, loading);
  plan.peak_bytes = request.process_bytes + plan.model_bytes;
}

}  // namespace rallrec::pipeline
