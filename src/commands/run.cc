#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

#include "commands/command_list.h"
#include "commands/report.h"
#include "commands/stage_command.h"
#include "core/error.h"
#include "io/files.h"
#include "pipeline/preflight.h"
#include "pipeline/run_pipeline.h"
#include "pipeline/run_summary.h"
#include "pipeline/stage_table.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::vector<std::string> stages;
  bool force = false;
};

void print_summary(const std::string& run_dir,
                   const std::vector<pipeline::StageOutcome>& outcomes) {
  std::string text = pipeline::stage_lines(outcomes);
  if (!outcomes.empty() && outcomes.back().stage == "evaluate") {
    text += "\n" + pipeline::metric_lines(run_dir);
  }
  std::fputs(text.c_str(), stdout);
}

// The page is worth a warning, not a failed run, where Python or its packages are missing.
void print_report(const std::string& run_dir) {
  try {
    std::printf("\nreport: %s\n", write_report(run_dir).c_str());
  } catch (const Error& error) {
    spdlog::warn("no report was written: {}", error.what());
  }
}

int run(const Flags& flags, CommandContext& context) {
  if (context.config_file.empty()) {
    throw_usage("--config FILE is required");
  }
  pipeline::RunRequest request;
  request.run_dir = run_folder_of(context);
  request.stages = flags.stages.empty() ? context.options.stages : flags.stages;
  request.force = flags.force;
  request.resume = context.resume;
  const std::vector<pipeline::Stage> table = pipeline::run_table(context.options);
  const std::vector<pipeline::Stage> stages =
      pipeline::select_stages(table, request.stages, context.options);
  std::unique_ptr<io::NewFolder> folder;
  if (context.communicator.rank() == 0) {
    folder = std::make_unique<io::NewFolder>(request.run_dir);
    pipeline::check_external_inputs(stages, context.options);
    pipeline::check_run_inputs(stages, request.run_dir);
  }
  const auto outcomes =
      pipeline::run_pipeline(request, context.options, context.communicator, table);
  if (context.communicator.rank() == 0) {
    print_summary(request.run_dir, outcomes);
    print_report(request.run_dir);
  }
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("--stages", flags->stages, "Only these stages, comma-separated [key stages]")
      ->delimiter(',')
      ->type_name("A,B,…");
  app.add_flag("--force", flags->force, "Run the stages even where they are up to date");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command run_command() {
  Command command;
  command.name = "run";
  command.group = kPipelineGroup;
  command.summary = "All stages of a run, from raw data to metrics";
  command.description =
      "Goes through the stages of a config file: ingest, describe, embed, light_gcn, align, "
      "retrieve, prompt, tune, infer, evaluate, or those that key stages lists, of which baseline "
      "is "
      "one too. A stage whose inputs, settings, model and results "
      "are unchanged is skipped, so stopping and starting again is safe. Prints a table of the "
      "stages with their times, then the metrics.";
  command.example = "mpirun -n 2 rallrec run --config configs/demo.toml";
  command.define = define;
  command.uses_model = true;
  command.resumes = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
