#include "pipeline/experiment/experiment.h"

#include <spdlog/spdlog.h>

#include <cstdio>
#include <memory>

#include "commands/command_list.h"
#include "commands/python_tool.h"
#include "commands/stage_command.h"
#include "core/error.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::vector<std::string> only;
  std::string store;
  bool dry_run = false;
};

// The page is worth a warning, not a failed experiment, where Python or its packages are missing.
void print_report(const std::string& folder) {
  const std::string page = folder + "/report.html";
  try {
    run_python_tool("report.py", {"--experiment", folder, "--output", page});
    std::printf("\nreport: %s\n", page.c_str());
  } catch (const Error& error) {
    spdlog::warn("no report was written: {}", error.what());
  }
}

pipeline::ExperimentRequest request_of(const Flags& flags, const CommandContext& context) {
  pipeline::ExperimentRequest request;
  request.grid = config::read_grid(context.config_file);
  request.published = config::published_for(request.grid, context.config_file);
  request.from = {context.config_file, run_folder_of(context), context.sources};
  request.only = flags.only;
  request.store = flags.store;
  return request;
}

int run(const Flags& flags, CommandContext& context) {
  if (context.config_file.empty()) {
    throw_usage("--config FILE is required");
  }
  const pipeline::ExperimentRequest request = request_of(flags, context);
  const bool prints = context.communicator.rank() == 0;
  if (flags.dry_run) {
    const std::string plan =
        pipeline::plan_lines(pipeline::unroll(request.grid, request.from, request.only));
    std::fputs(prints ? plan.c_str() : "", stdout);
    return 0;
  }
  std::unique_ptr<io::NewFolder> folder;
  if (prints) {
    folder = std::make_unique<io::NewFolder>(request.from.folder);
  }
  const pipeline::ExperimentOutcome outcome =
      pipeline::run_experiment(request, context.communicator);
  if (prints) {
    std::fputs(outcome.tables.c_str(), stdout);
    print_report(request.from.folder);
  }
  return static_cast<int>(outcome.code);
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("--only", flags->only, "Only these systems of the grid, comma-separated [all]")
      ->delimiter(',')
      ->type_name("A,B,…");
  app.add_option("--store", flags->store,
                 "Folder of the stages that cells have in common; name the same one for several "
                 "grids, one at a time, and what they share is made once [store in the run folder]")
      ->type_name("DIR");
  app.add_flag("--dry-run", flags->dry_run,
               "Read all configs and print the cells with their stages, but run nothing");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

Command experiment_command() {
  Command command;
  command.name = "experiment";
  command.group = kPipelineGroup;
  command.summary = "A grid of runs: systems, data sets, sweeps and seeds side by side";
  command.description =
      "Goes through the cells of a grid file, each a run of its own in the experiment's folder, "
      "which `rallrec report` reads too. Stages that cells have in common are run once. Writes "
      "results.jsonl after each cell, and at the end summary.json, table.md and table.tex, with "
      "all systems on the test rows that they have in common, mean and deviation over seeds, "
      "paired tests against the grid's reference, and published numbers in columns of their own; "
      "prints the tables. Stopping and starting again is safe. A cell that fails is recorded and "
      "the others go on; the exit code is then that of the first that failed.";
  command.example = "mpirun -n 2 rallrec experiment --config configs/experiments/table1_small.toml";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  command.own_config = true;
  return command;
}

}  // namespace rallrec::commands
