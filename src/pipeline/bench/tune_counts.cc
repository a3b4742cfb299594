#include "pipeline/bench/tune_counts.h"

#include <algorithm>

#include "pipeline/bench/line.h"
#include "pipeline/plan.h"
#include "pipeline/plan_run.h"

namespace rallrec::pipeline {
namespace {

Plan plan_of(const BenchStep& step, const models::llm::CausalLm& model, int ranks) {
  PlanRequest request;
  request.model = model.config();
  request.bfloat16_tables = has_bfloat16_tables(step.run.request.model);
  request.options = step.run.options;
  request.options.model.quant = model.quant();
  request.ranks = ranks;
  request.lengths = step.dataset.lengths_of(step.prompts);
  request.labels = step.labels;
  return make_plan(request);
}

double ratio_of(std::int64_t a, std::int64_t b) {
  return b == 0 ? 0.0 : static_cast<double>(a) / static_cast<double>(b);
}

}  // namespace

void print_counts(const BenchStep& step, const models::llm::CausalLm& model,
                  const TuneCounts& counts) {
  const Plan plan = plan_of(step, model, step.run.communicator.size());
  const Plan alone = plan_of(step, model, 1);
  const auto number = [](std::int64_t value) { return static_cast<double>(value); };
  BenchLine memory;
  memory.bench = "tune";
  memory.arm = "memory";
  memory.peak_bytes = counts.peak;
  memory.work = number(counts.peak);
  memory.ratio = ratio_of(plan.model_bytes, counts.peak);
  memory.more = {{"planned_bytes", number(plan.model_bytes)}};
  print_line(memory, step.run);

  BenchLine frozen;
  frozen.bench = "tune";
  frozen.arm = "frozen";
  frozen.work = number(counts.frozen);
  frozen.ratio = ratio_of(counts.frozen, alone.frozen_bytes);
  frozen.more = {{"planned_bytes", number(plan.frozen_bytes)},
                 {"one_rank_bytes", number(alone.frozen_bytes)}};
  print_line(frozen, step.run);

  BenchLine traffic;
  traffic.bench = "tune";
  traffic.arm = "traffic";
  traffic.work = number(counts.gathered);
  traffic.ratio = ratio_of(plan.fsdp_bytes, counts.gathered);
  traffic.more = {{"planned_bytes", number(plan.gathered_bytes)},
                  {"fsdp_bytes", number(plan.fsdp_bytes)},
                  {"micro_batches", number(plan.micro_batches)},
                  {"waves", number(plan.waves)}};
  print_line(traffic, step.run);
}

}  // namespace rallrec::pipeline
