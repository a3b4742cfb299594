#include "commands/report.h"

#include <spdlog/spdlog.h>

#include <memory>

#include "commands/command_list.h"
#include "commands/python_tool.h"
#include "commands/stage_command.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

int run(const std::string& output, CommandContext& context) {
  if (context.communicator.rank() == 0) {
    if (!output.empty()) {
      io::require_place_for(output);
    }
    spdlog::info("report: {}", write_report(run_folder_of(context), output));
  }
  return 0;
}

Runner define(CLI::App& app) {
  const auto output = std::make_shared<std::string>();
  app.add_option("--output", *output, "Where the page goes [report.html in the run folder]")
      ->type_name("FILE");
  return [output](CommandContext& context) { return run(*output, context); };
}

}  // namespace

std::string write_report(const std::string& run_dir, const std::string& output) {
  const std::string path = output.empty() ? run_dir + "/report.html" : output;
  run_python_tool("report.py", {"--run-dir", run_dir, "--output", path});
  return path;
}

Command report_command() {
  Command command;
  command.name = "report";
  command.summary = "One HTML page about a run";
  command.description =
      "Writes one self-contained HTML page about a run folder: what was run, metrics of the tuned "
      "and the zero-shot model with intervals, ROC and calibration, the loss curve, stages with "
      "their times, data figures and test prompts worth reading. Works on unfinished runs.";
  command.example = "rallrec report --run-dir runs/demo";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
