#include "pipeline/plan.h"

#include <algorithm>
#include <cstdio>
#include <memory>

#include "commands/checks.h"
#include "commands/command_list.h"
#include "core/error.h"
#include "io/files.h"
#include "models/llm/known_shapes.h"
#include "pipeline/plan_text.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string model;
  std::string train;
  int ranks = 1;
  int nodes = 1;
  std::string device = "cpu";  // of the machine planned for, not the one this runs on
  std::string machine;
  std::int64_t tokens = 540;
  double gflops = 0.0;
  std::string scaling;
  double memory = 0.0;  // GB
  double price = 0.0;
  bool json = false;
};

pipeline::Machine machine_of(const Flags& flags, const config::Options& options) {
  const std::int64_t threads = options.cluster.threads;
  pipeline::Machine machine = flags.machine.empty()
                                  ? pipeline::machine_named(flags.device, threads)
                                  : pipeline::read_machine(flags.machine, threads);
  if (flags.gflops > 0) {
    machine.product_rate = flags.gflops * 1e9;
  }
  return machine;
}

// The shape of the folder, or the published one of its name where the model is still to be fetched.
models::llm::LlmConfig shape_of(const std::string& model, pipeline::PlanReport& report) {
  const auto known = models::llm::known_shape(model);
  report.known_shape = known && !io::file_exists(model);
  if (report.known_shape) {
    return *known;
  }
  if (!io::file_exists(model)) {
    throw Error(ExitCode::kMissingInput,
                "no model here, and its name is none whose shape is known (" +
                    models::llm::known_shape_names() + "): " + model);
  }
  return models::llm::read_llm_config(model);
}

bool has_stage(const pipeline::PlanReport& report, const char* stage) {
  return std::find(report.stages.begin(), report.stages.end(), stage) != report.stages.end();
}

pipeline::PlanRequest request_of(const Flags& flags, const config::Options& options) {
  pipeline::PlanRequest request;
  request.options = options;
  request.ranks = flags.ranks;
  request.nodes = flags.nodes;
  request.machine = machine_of(flags, options);
  return request;
}

void plan_stages(const Flags& flags, pipeline::PlanRequest& request,
                 distributed::Communicator& communicator, pipeline::PlanReport& report) {
  const std::string& model = request.options.model.path;
  if (has_stage(report, "tune")) {
    report.tune = flags.train.empty()
                      ? pipeline::plan_alike(request, flags.tokens)
                      : pipeline::plan_file(request, model, flags.train, communicator);
    if (!flags.scaling.empty()) {
      report.scaling = pipeline::plan_scaling(
          request, flags.tokens,
          flags.scaling == "weak" ? pipeline::Scaling::kWeak : pipeline::Scaling::kStrong);
    }
    const double memory = flags.memory > 0 ? flags.memory * 1e9 : request.machine.memory;
    report.memory = static_cast<std::int64_t>(memory);
    if (memory > 0) {
      report.largest_token_budget =
          pipeline::largest_token_budget(request, flags.tokens, static_cast<std::int64_t>(memory));
    }
  }
  if (has_stage(report, "infer")) {
    request.trains = false;
    report.infer = pipeline::plan_alike(request, flags.tokens);
  }
}

int run(const Flags& flags, const CommandContext& context) {
  pipeline::PlanReport report;
  report.stages = context.options.stages;
  if (!flags.model.empty()) {
    report.stages = {"tune", "infer"};
  }
  report.price = flags.price;
  pipeline::PlanRequest request = request_of(flags, context.options);
  if (has_stage(report, "tune") || has_stage(report, "infer")) {
    std::string& model = request.options.model.path;
    model = flags.model.empty() ? model : flags.model;
    if (model.empty()) {
      throw_usage("plan needs a model: --config FILE with model.path, or --model DIR");
    }
    request.model = shape_of(model, report);
    request.bfloat16_tables = pipeline::has_bfloat16_tables(model);
    plan_stages(flags, request, context.communicator, report);
  }
  if (context.communicator.rank() == 0) {
    const std::string text =
        flags.json ? pipeline::plan_json(report, request) : pipeline::plan_table(report, request);
    std::fputs(text.c_str(), stdout);
  }
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  app.add_option(
         "--model", flags->model,
         "Hugging Face folder; config.json is enough, and for a published model that is not "
         "here yet its name [model.path]")
      ->type_name("DIR");
  app.add_option("--train", flags->train,
                 "Prompts of tune: their own lengths, every step looked at")
      ->type_name("FILE");
  app.add_option("--ranks", flags->ranks, "Ranks to plan for [1]")
      ->type_name("N")
      ->check(whole_number_from(1));
  app.add_option("--nodes", flags->nodes, "Machines that they stand on [1]")
      ->type_name("N")
      ->check(whole_number_from(1));
  auto* device = app.add_option("--device", flags->device,
                                "Device to plan for: cpu, a100, h100, h200 or b200 [cpu]")
                     ->type_name("NAME");
  app.add_option("--machine", flags->machine,
                 "Lines that `rallrec bench machine` printed where the run is to be, instead of "
                 "--device")
      ->type_name("FILE")
      ->excludes(device);
  app.add_option("--tokens", flags->tokens, "Without --train: tokens of each prompt [540]")
      ->type_name("N")
      ->check(whole_number_from(1));
  app.add_option("--gflops", flags->gflops, "Useful GFLOP/s of a rank, as measured [machine's]")
      ->type_name("X")
      ->check(positive_number());
  app.add_option(
         "--scaling", flags->scaling,
         "Also tune on 1, 2, 4, … up to --ranks: strong (the same batch) or weak (the batch "
         "times the ranks)")
      ->type_name("MODE")
      ->check(one_of({"strong", "weak"}));
  app.add_option("--memory", flags->memory,
                 "GB that a rank may hold: also the largest micro-batch that fits [device's]")
      ->type_name("GB")
      ->check(positive_number());
  app.add_option("--price", flags->price, "Of a rank and hour: also what tune costs")
      ->type_name("X")
      ->check(number_from(0.0));
  app.add_flag("--json", flags->json, "One JSON object instead of the table");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command plan_command() {
  Command command;
  command.name = "plan";
  command.group = kToolsGroup;
  command.summary = "Memory, traffic and time that tune and infer will take";
  command.description =
      "Works out from config.json, the options and the lengths of the prompts what tune and infer "
      "take on that many ranks: bytes per rank by class, bytes received per step by collective, "
      "and "
      "an estimate of the times. Reads no weights and needs no device. Memory is that of the step "
      "that takes most, by the engine's own arithmetic, on top of what this very process holds; "
      "times are the arithmetic of a step over usual rates of a device, or over those that "
      "`rallrec bench machine` has measured (--machine).";
  command.example = "rallrec plan --config configs/demo.toml --ranks 2";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
