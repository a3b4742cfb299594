#pragma once

#include <string>
#include <vector>

#include "commands/command.h"
#include "pipeline/model_files.h"

namespace rallrec::commands {

// --model, --adapter (where wanted), --input and --output, bound to `files`; returns the options
// for stage_or_files.
std::vector<const CLI::Option*> add_model_file_flags(CLI::App& app, pipeline::ModelFiles& files,
                                                     bool adapter, const std::string& input,
                                                     const std::string& output);

// Throws usage where one that is needed is missing, and require_output's errors. `command` is named
// in the message.
void require_model_files(const pipeline::ModelFiles& files, const std::string& command,
                         const CommandContext& context);

}  // namespace rallrec::commands
