#include "commands/report.h"

#include <spdlog/spdlog.h>

#include <memory>

#include "commands/command_list.h"
#include "commands/python_tool.h"
#include "commands/stage_command.h"
#include "core/error.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

struct Flags {
  std::string experiment;
  std::string output;
};

std::string write_page(const char* kind, const std::string& folder, const std::string& output) {
  const std::string path = output.empty() ? folder + "/report.html" : output;
  run_python_tool("report.py", {kind, folder, "--output", path});
  return path;
}

int run(const Flags& flags, CommandContext& context) {
  if (!flags.experiment.empty() && context.origins.at("output.run_dir") == "--run-dir") {
    throw_usage("--experiment and --run-dir exclude each other");
  }
  if (context.communicator.rank() == 0) {
    if (!flags.output.empty()) {
      io::require_place_for(flags.output);
    }
    const std::string page = flags.experiment.empty()
                                 ? write_report(run_folder_of(context), flags.output)
                                 : write_experiment_report(flags.experiment, flags.output);
    spdlog::info("report: {}", page);
  }
  return 0;
}

Runner define(CLI::App& app) {
  const auto flags = std::make_shared<Flags>();
  app.add_option("--experiment", flags->experiment,
                 "The folder of an experiment, instead of a run's")
      ->type_name("DIR");
  app.add_option("--output", flags->output, "Where the page goes [report.html in the folder]")
      ->type_name("FILE");
  return [flags](CommandContext& context) { return run(*flags, context); };
}

}  // namespace

std::string write_report(const std::string& run_dir, const std::string& output) {
  return write_page("--run-dir", run_dir, output);
}

std::string write_experiment_report(const std::string& folder, const std::string& output) {
  return write_page("--experiment", folder, output);
}

Command report_command() {
  Command command;
  command.name = "report";
  command.summary = "One HTML page about a run or an experiment";
  command.description =
      "Writes one self-contained HTML page about a run folder: what was run, metrics with "
      "intervals, ROC and calibration, loss curves, stages with their times, the data beside the "
      "paper's, why some prompts show the history that they show, maps of the item embeddings, and "
      "test prompts worth reading. With --experiment about the folder of `rallrec experiment`: its "
      "tables with the published numbers beside ours, significance, sweeps, grids, deviations, "
      "learning curves and cost. Works on what is unfinished.";
  command.example = "rallrec report --run-dir runs/demo";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
