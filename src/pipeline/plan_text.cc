#include "pipeline/plan_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/did_you_mean.h"
#include "logging/progress.h"

namespace rallrec::pipeline {
namespace {

using Json = nlohmann::ordered_json;

Json rows_of(const std::vector<PlanRow>& rows) {
  Json json;
  for (const PlanRow& row : rows) {
    json[row.name] = row.bytes;
  }
  return json;
}

double cost_of(const RunPlan& run, int ranks, double price) {
  return run.wall_seconds / 3600.0 * ranks * price;
}

Json json_of(const RunPlan& run) {
  const Plan& plan = run.plan;
  return {{"quant", plan.quant},
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
          {"compute_seconds", plan.compute_seconds},
          {"gather_seconds", plan.gather_seconds},
          {"exposed_seconds", plan.exposed_seconds},
          {"step_seconds", plan.step_seconds},
          {"steps", run.steps},
          {"wall_seconds", run.wall_seconds}};
}

Json json_of(const ScalingRow& row, double price) {
  Json json = {{"ranks", row.ranks},
               {"nodes", row.nodes},
               {"batch_size", row.batch_size},
               {"step_seconds", row.run.plan.step_seconds},
               {"efficiency", row.efficiency},
               {"peak_bytes", row.run.plan.peak_bytes},
               {"received_bytes_per_step", row.run.plan.gathered_bytes},
               {"wall_seconds", row.run.wall_seconds}};
  json["cost"] = price > 0 ? Json(cost_of(row.run, row.ranks, price)) : Json();
  return json;
}

Json json_of(const Machine& machine) {
  return {{"name", machine.name},
          {"product_rate", machine.product_rate},
          {"elementwise_rate", machine.elementwise_rate},
          {"link", machine.link},
          {"between_nodes", machine.between_nodes},
          {"latency", machine.latency},
          {"source", machine.source}};
}

std::int64_t peak_of(const PlanReport& report) {
  const std::int64_t tune = report.tune ? report.tune->plan.peak_bytes : 0;
  return std::max(tune, report.infer ? report.infer->plan.peak_bytes : 0);
}

bool fits(const PlanReport& report) {
  return report.memory == 0 || peak_of(report) <= report.memory;
}

double megabytes(std::int64_t bytes) { return static_cast<double>(bytes) * 1e-6; }

void add_row(const std::string& name, std::int64_t bytes, std::string& text) {
  text += fmt::format("  {:<32} {:>12.1f} MB\n", name, megabytes(bytes));
}

void add_rows(const std::vector<PlanRow>& rows, std::string& text) {
  for (const PlanRow& row : rows) {
    add_row(row.name, row.bytes, text);
  }
}

void add_stage(const std::string& stage, const RunPlan& run, const PlanRequest& request,
               std::string& text) {
  const Plan& plan = run.plan;
  text += fmt::format("memory of {} on the rank that takes most ({})\n", stage, plan.quant);
  add_rows(plan.memory, text);
  add_row("peak", plan.peak_bytes, text);
  if (stage == "tune") {
    add_row("(describe: keys and values)", plan.kv_cache_bytes, text);
  }
  text += "received per rank and step\n";
  add_rows(plan.communication, text);
  add_row("(bf16, per micro-batch)", plan.fsdp_bytes, text);
  text += fmt::format(
      "one step: {} tokens in {} micro-batches, {} waves, {} micro-batches computed again\n",
      plan.tokens, plan.micro_batches, plan.waves, plan.recomputed);
  text += fmt::format(
      "estimate on {} x {}: a step {:.3g} s (computing {:.3g}, gathers beside it {:.3g}, other "
      "exchange {:.3g}), {} steps {}\n\n",
      request.ranks, request.machine.name, plan.step_seconds, plan.compute_seconds,
      plan.gather_seconds, plan.exposed_seconds, run.steps,
      logging::duration_text(run.wall_seconds));
}

void add_scaling(const PlanReport& report, std::string& text) {
  text += " ranks nodes  batch    step s  efficiency   peak MB  received MB  wall";
  text += report.price > 0 ? "         cost\n" : "\n";
  for (const ScalingRow& row : report.scaling) {
    const Plan& plan = row.run.plan;
    text += fmt::format("{:>6} {:>5} {:>6} {:>9.3g} {:>11.2f} {:>9.0f} {:>12.1f}  {}", row.ranks,
                        row.nodes, row.batch_size, plan.step_seconds, row.efficiency,
                        megabytes(plan.peak_bytes), megabytes(plan.gathered_bytes),
                        logging::duration_text(row.run.wall_seconds));
    text += report.price > 0
                ? fmt::format("  {:>8.2f}\n", cost_of(row.run, row.ranks, report.price))
                : "\n";
  }
  text += "\n";
}

void add_assumptions(const PlanReport& report, const PlanRequest& request, std::string& text) {
  const Machine& machine = request.machine;
  text += fmt::format(
      "a rank: {:.3g} TFLOP/s in products, {:.3g} GB/s beside them, {:.3g} GB/s from others "
      "({:.3g} from other nodes), {:.3g} us per doubling of ranks\n  {}\n",
      machine.product_rate * 1e-12, machine.elementwise_rate * 1e-9, machine.link * 1e-9,
      machine.between_nodes * 1e-9, machine.latency * 1e6, machine.source);
  // docs/benchmarks/plan_sapphire_rapids_202611.md
  text +=
      "  compared with tune of a 135M model on 1, 2 and 4 ranks of one CPU node: step time -22 to\n"
      "  +34 %, memory -10 to 0 %; never compared on GPUs or over a network\n"
      "  assumed: the rank with most tokens is waited for; layers are gathered while it computes;\n"
      "  what is gathered enters a node once\n";
  if (report.known_shape) {
    text += fmt::format("{}: not here; planned with the published shape of that name\n",
                        request.options.model.path);
  }
  if (!fits(report)) {
    text += fmt::format(
        "DOES NOT FIT: {:.1f} MB of a rank's {:.1f} MB; more --ranks, a smaller tune.memory_budget "
        "or "
        "tune.token_budget\n",
        megabytes(peak_of(report)), megabytes(report.memory));
  }
  if (report.largest_token_budget >= 0) {
    text += fmt::format("largest tune.token_budget that fits a rank, layers computed again: {}\n",
                        report.largest_token_budget);
  }
}

}  // namespace

std::string plan_json(const PlanReport& report, const PlanRequest& request) {
  Json json = report.tune ? json_of(*report.tune) : Json::object();
  json["stages"] = report.stages;
  json["ranks"] = request.ranks;
  json["nodes"] = request.nodes;
  json["machine"] = json_of(request.machine);
  json["infer"] = report.infer ? json_of(*report.infer) : Json();
  json["shape"] = report.known_shape ? "published" : "config.json";
  for (const ScalingRow& row : report.scaling) {
    json["scaling"].push_back(json_of(row, report.price));
  }
  json["fits"] = report.memory > 0 ? Json(fits(report)) : Json();
  json["largest_token_budget"] =
      report.largest_token_budget >= 0 ? Json(report.largest_token_budget) : Json();
  json["cost"] = report.tune && report.price > 0
                     ? Json(cost_of(*report.tune, request.ranks, report.price))
                     : Json();
  return json.dump() + "\n";
}

std::string plan_table(const PlanReport& report, const PlanRequest& request) {
  std::string text;
  if (report.tune) {
    add_stage("tune", *report.tune, request, text);
  }
  if (report.infer) {
    add_stage("infer", *report.infer, request, text);
  }
  if (!report.tune && !report.infer) {
    return "stages " + config::joined(report.stages) +
           ": none of them tunes or scores with a model\n";
  }
  if (!report.scaling.empty()) {
    add_scaling(report, text);
  }
  add_assumptions(report, request, text);
  return text;
}

}  // namespace rallrec::pipeline
