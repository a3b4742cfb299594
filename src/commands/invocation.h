#pragma once

#include <memory>
#include <optional>

#include "commands/command.h"
#include "commands/common_options.h"
#include "distributed/session.h"

namespace rallrec::commands {

// A command line that was understood.
struct Invocation {
  const Command* command = nullptr;
  CommonOptions common;
  Runner run;
  // What the runner's flags are part of.
  std::shared_ptr<const void> parser;
};

// Parses the command line. Prints help or the version to stdout and returns nothing where that was
// asked for. Throws Error (usage), naming the nearest command or the help to read.
std::optional<Invocation> parse_command_line(int argc, const char* const* argv);

// Loads the config, sets threads and logging, and runs the command on this rank.
int execute(const Invocation& invocation, distributed::Session& session);

}  // namespace rallrec::commands
