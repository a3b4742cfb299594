#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "pipeline/plan_run.h"

namespace rallrec::pipeline {
namespace {

nlohmann::ordered_json rows_of(const std::vector<PlanRow>& rows) {
  nlohmann::ordered_json json;
  for (const PlanRow& row : rows) {
    json[row.name] = row.bytes;
  }
  return json;
}

void add_row(const std::string& name, std::int64_t bytes, std::string& text) {
  text += fmt::format("  {:<32} {:>12.1f} MB\n", name, static_cast<double>(bytes) * 1e-6);
}

void add_rows(const std::vector<PlanRow>& rows, std::string& text) {
  for (const PlanRow& row : rows) {
    add_row(row.name, row.bytes, text);
  }
}

}  // namespace

std::string plan_json(const RunPlan& run) {
  const Plan& plan = run.plan;
  const nlohmann::ordered_json all = {{"quant", plan.quant},
                                      {"bytes_per_rank", rows_of(plan.memory)},
                                      {"frozen_bytes", plan.frozen_bytes},
                                      {"model_bytes", plan.model_bytes},
                                      {"peak_bytes", plan.peak_bytes},
                                      {"kv_cache_bytes", plan.kv_cache_bytes},
                                      {"bytes_per_step", rows_of(plan.communication)},
                                      {"fsdp_bytes_per_step", plan.fsdp_bytes},
                                      {"micro_batches", plan.micro_batches},
                                      {"waves", plan.waves},
                                      {"recomputed", plan.recomputed},
                                      {"tokens_per_step", plan.tokens},
                                      {"step_flops", plan.step_flops},
                                      {"gather_seconds", plan.gather_seconds},
                                      {"step_seconds", plan.step_seconds},
                                      {"steps", run.steps},
                                      {"wall_seconds", run.wall_seconds}};
  return all.dump() + "\n";
}

std::string plan_table(const RunPlan& run, const PlanRequest& request) {
  const Plan& plan = run.plan;
  std::string text = fmt::format("memory of tune on the rank that takes most ({})\n", plan.quant);
  add_rows(plan.memory, text);
  add_row("peak", plan.peak_bytes, text);
  add_row("(describe: keys and values)", plan.kv_cache_bytes, text);
  text += "\nreceived per rank and optimizer step\n";
  add_rows(plan.communication, text);
  add_row("(bf16, per micro-batch)", plan.fsdp_bytes, text);
  text += fmt::format(
      "\none step: {} tokens in {} micro-batches, {} waves, {} micro-batches computed again\n",
      plan.tokens, plan.micro_batches, plan.waves, plan.recomputed);
  text += fmt::format(
      "estimate on {} x {}: a step {:.3g} s (gathers alone {:.3g} s), {} steps {:.3g} s\n",
      request.ranks, request.device, plan.step_seconds, plan.gather_seconds, run.steps,
      run.wall_seconds);
  return text;
}

}  // namespace rallrec::pipeline
