#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/load.h"
#include "config/options.h"
#include "distributed/communicator.h"

namespace rallrec::commands {

// What every command gets when it runs.
struct CommandContext {
  distributed::Communicator& communicator;
  // The resolved options: command line over environment over file over defaults. The common flags
  // are in it: --threads, --device, --quant, --run-dir, --max-bad-rows.
  config::Options options;
  // Where each value came from, by "section.key"; see config/load.h.
  std::map<std::string, std::string> origins;
  // The config file, or "" where none was given.
  std::string config_file;
  // auto, never, or the path of a checkpoint.
  std::string resume = "auto";
  // What `options` were read from.
  config::Sources sources = {};
};

// Does the command's work on every rank and returns the exit code, 0 unless it has a reason. Errors
// are thrown. Results go to stdout or a file, everything else through spdlog.
using Runner = std::function<int(CommandContext&)>;

// Part of the overview that a command is listed in.
inline constexpr const char* kPipelineGroup = "Pipeline";
inline constexpr const char* kStagesGroup =
    "Stages (in a run folder with --config, or on your own files)";
inline constexpr const char* kFilesGroup = "On your own files";
inline constexpr const char* kToolsGroup = "Tools";

// One command of the program. Each lives in src/commands/<name>.cc as a function <name>_command(),
// which is declared in command_list.h and has one line in command_table.cc.
struct Command {
  std::string name;
  const char* group = kToolsGroup;
  // One line of the overview.
  std::string summary;
  // A paragraph for `rallrec <name> --help`; it is wrapped when printed.
  std::string description;
  std::string example;
  // Adds the command's own flags to `app` (not the common ones), bound to state that the returned
  // runner owns.
  Runner (*define)(CLI::App& app) = nullptr;
  // Which of the common flags make sense for it.
  bool uses_model = false;  // --quant
  bool resumes = false;     // --resume
  bool reads_rows = false;  // --max-bad-rows
  // Its --config is no run's config: `options` are read from the other sources alone.
  bool own_config = false;
};

const std::vector<Command>& command_table();

}  // namespace rallrec::commands
