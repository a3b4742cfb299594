#pragma once

#include <string>
#include <vector>

#include "commands/command.h"
#include "pipeline/stage.h"

namespace rallrec::commands {

// A stage's command has two forms. With --config (or --run-dir of an existing run) it runs that one
// stage inside the run folder, and skips it where it is up to date; with any of `file_flags` given
// it runs `files` on a person's own files, always. In a command's `define`:
//
//   Runner define(CLI::App& app) {
//     auto flags = std::make_shared<Flags>();
//     CLI::Option* input = app.add_option("--interactions", flags->interactions, "…");
//     return stage_or_files(app, "light_gcn", {input},
//                           [flags](CommandContext& context) { return run_on_files(*flags,
//                           context); });
//   }
//
// File flags must not be ->required() for CLI11, since the other form lacks them: `files` checks
// them, with require_flag where one is missing.
Runner stage_or_files(CLI::App& app, const std::string& stage,
                      std::vector<const CLI::Option*> file_flags, Runner files);

// A stage that has only the first form.
Runner stage_only(CLI::App& app, const std::string& stage);

// Runs one stage of a table in the run folder of this call, unless it is up to date there.
int run_one_stage(const std::vector<pipeline::Stage>& table, const std::string& stage, bool force,
                  CommandContext& context);

// Whether one of the flags was given.
bool any_given(const std::vector<const CLI::Option*>& flags);

// Throws Error (usage) where neither a config nor any of `file_flags` was given, which the message
// names.
void require_config(const CommandContext& context,
                    const std::vector<const CLI::Option*>& file_flags);

// Throws Error (usage) where a flag's value is empty: "--output is required with --interactions".
void require_flag(const std::string& value, const std::string& flag, const std::string& with);

// Before any work for a command that writes one file: rank 0 sees whether `output` can be written
// (io::require_place_for's errors), and a flight record is kept in the folder that it is in.
void require_output(const std::string& output, const std::vector<std::string>& inputs,
                    const CommandContext& context);

// The run folder of this call. Throws Error (usage) where neither --config nor --run-dir names one.
const std::string& run_folder_of(const CommandContext& context);

}  // namespace rallrec::commands
