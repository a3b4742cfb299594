#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "config/options.h"
#include "distributed/communicator.h"

namespace rallrec::commands {

// What every command gets when it runs.
struct CommandContext {
  distributed::Communicator& communicator;
  // The resolved options: command line over environment over file over defaults.
  config::Options options;
};

// One command of the program. `define` adds its own flags to `app`, bound to state that lives as
// long as the returned runner; `run` does the work on every rank and returns the exit code (0
// unless it has a reason). Errors are thrown. The table of all commands is in command_table.cc.
struct Command {
  std::string name;
  std::string summary;
  // Registers flags on `app` and returns the function to call once they are parsed.
  std::function<int(CommandContext&)> (*define)(CLI::App& app);
};

const std::vector<Command>& command_table();

}  // namespace rallrec::commands
