#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/options.h"
#include "models/llm/llm_config.h"
#include "pipeline/machine.h"

namespace rallrec::pipeline {

// One step to be planned for: of the optimizer, or of scoring.
struct PlanRequest {
  models::llm::LlmConfig model;
  // Embedding and head are bf16 in the checkpoint, so that a w8a8 or fp32 model keeps them as such.
  bool bfloat16_tables = true;
  config::Options options;
  int ranks = 1;
  int nodes = 1;
  Machine machine = machine_named("cpu", 1);
  // tune; else infer: the forward pass alone, a batch of the prompts of `lengths` on every rank.
  bool trains = true;
  // Tokens of each prompt of the step, answers included, and how many of them are trained on or
  // scored.
  std::vector<std::int64_t> lengths;
  std::int64_t labels = 0;
  // What a process holds before the model is loaded.
  std::int64_t process_bytes = 0;
};

struct PlanRow {
  std::string name;
  std::int64_t bytes = 0;
};

// What a step takes, of the rank that takes most.
struct Plan {
  std::string quant;
  std::vector<PlanRow> memory;    // by class; all of it at once is the peak
  std::int64_t frozen_bytes = 0;  // weights and gather buffers: WeightStore::frozen_bytes
  std::int64_t model_bytes = 0;   // the peak without what the process held before
  std::int64_t peak_bytes = 0;
  std::vector<PlanRow> communication;  // received per optimizer step, by collective
  std::int64_t gathers = 0;            // of one decoder layer, per step
  std::int64_t gathered_bytes = 0;     // of decoder layers: GatherStatistics::bytes per step
  // What a schedule in bf16 would receive that gathers the whole model for the forward and again
  // for the backward pass of every micro-batch.
  std::int64_t fsdp_bytes = 0;
  // Keys and values of one batch of describe whose prompts have the step's mean length.
  std::int64_t kv_cache_bytes = 0;
  std::int64_t micro_batches = 0;  // of all ranks that are not empty
  std::int64_t waves = 0;
  std::int64_t recomputed = 0;  // micro-batches that compute their layers again
  std::int64_t tokens = 0;
  double step_flops = 0.0;       // of all ranks
  double compute_seconds = 0.0;  // of the rank with most tokens
  double gather_seconds = 0.0;   // hidden as far as computing takes as long
  double exposed_seconds = 0.0;  // of all other collectives
  double step_seconds = 0.0;
};

// Pure arithmetic over config.json and the options, by the functions that the engine itself goes
// by; nothing is loaded. Throws kUsage for an unknown quant, fewer than one rank, or ranks that
// cannot stand on so many nodes.
Plan make_plan(const PlanRequest& request);

}  // namespace rallrec::pipeline
