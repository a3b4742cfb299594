#include "pipeline/plan.h"

#include <cstdio>
#include <memory>

#include "commands/command_list.h"
#include "core/error.h"
#include "pipeline/plan_run.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string model;
  std::string train;
  int ranks = 1;
  int nodes = 1;
  std::string device = "cpu";  // of the machine planned for, not the one this runs on
  std::int64_t tokens = 540;
  double gflops = 0.0;
  bool json = false;
};

int run(const Flags& flags, const CommandContext& context) {
  const std::string model = flags.model.empty() ? context.options.model.path : flags.model;
  if (model.empty()) {
    throw_usage("plan needs a model: --config FILE with model.path, or --model DIR");
  }
  pipeline::PlanRequest request;
  request.model = models::llm::read_llm_config(model);
  request.bfloat16_tables = pipeline::has_bfloat16_tables(model);
  request.options = context.options;
  request.ranks = flags.ranks;
  request.nodes = flags.nodes;
  request.device = flags.device;
  request.gflops = flags.gflops;
  const pipeline::RunPlan plan =
      flags.train.empty() ? pipeline::plan_alike(request, flags.tokens)
                          : pipeline::plan_file(request, model, flags.train, context.communicator);
  if (context.communicator.rank() == 0) {
    const std::string text =
        flags.json ? pipeline::plan_json(plan) : pipeline::plan_table(plan, request);
    std::fputs(text.c_str(), stdout);
  }
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("--model", flags->model, "Hugging Face folder; config.json is enough [model.path]")
      ->type_name("DIR");
  app.add_option("--train", flags->train,
                 "Prompts of tune: their own lengths, every step looked at")
      ->type_name("FILE");
  app.add_option("--ranks", flags->ranks, "Ranks to plan for [1]")->type_name("N");
  app.add_option("--nodes", flags->nodes, "Machines that they stand on [1]")->type_name("N");
  app.add_option("--device", flags->device, "Device to plan for: cpu, a100, h100 or h200 [cpu]")
      ->type_name("NAME");
  app.add_option("--tokens", flags->tokens, "Without --train: tokens of each prompt [540]")
      ->type_name("N");
  app.add_option("--gflops", flags->gflops, "Useful GFLOP/s of a rank, as measured [device's]")
      ->type_name("X");
  app.add_flag("--json", flags->json, "One JSON object instead of the table");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command plan_command() {
  Command command;
  command.name = "plan";
  command.group = kToolsGroup;
  command.summary = "Memory, traffic and time that tune will take";
  command.description =
      "Works out from config.json, the options and the lengths of the prompts what tune takes on "
      "that many ranks: bytes per rank by class, bytes received per optimizer step by collective, "
      "and an estimate of the times. Reads no weights and needs no device. Memory is that of the "
      "step that takes most, by the engine's own arithmetic, on top of what this very process "
      "holds; times are the arithmetic of a step over a usual rate, so give --gflops where you "
      "have measured one.";
  command.example = "rallrec plan --config configs/demo.toml --ranks 2";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
