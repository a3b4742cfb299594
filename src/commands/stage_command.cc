#include "commands/stage_command.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "core/error.h"
#include "distributed/flight_marks.h"
#include "io/files.h"
#include "pipeline/run_pipeline.h"
#include "pipeline/stage_table.h"

namespace rallrec::commands {
namespace {

// "--model, --input", for the message that names both forms.
std::string names_of(const std::vector<const CLI::Option*>& flags) {
  std::string names;
  for (const CLI::Option* flag : flags) {
    names += (names.empty() ? "" : ", ") + flag->get_name();
  }
  return names;
}

}  // namespace

int run_one_stage(const std::vector<pipeline::Stage>& table, const std::string& stage, bool force,
                  CommandContext& context) {
  pipeline::RunRequest request;
  request.run_dir = run_folder_of(context);
  request.stages = {stage};
  request.force = force;
  request.resume = context.resume;
  pipeline::run_pipeline(request, context.options, context.communicator, table);
  return 0;
}

bool any_given(const std::vector<const CLI::Option*>& flags) {
  return std::any_of(flags.begin(), flags.end(),
                     [](const CLI::Option* flag) { return flag->count() > 0; });
}

void require_config(const CommandContext& context,
                    const std::vector<const CLI::Option*>& file_flags) {
  if (context.config_file.empty()) {
    throw_usage("give --config FILE to run the stage in a run folder" +
                (file_flags.empty() ? std::string()
                                    : ", or " + names_of(file_flags) + " for your own files"));
  }
}

Runner stage_or_files(CLI::App& app, const std::string& stage,
                      std::vector<const CLI::Option*> file_flags, Runner files) {
  const auto force = std::make_shared<bool>(false);
  app.add_flag("--force", *force, "In a run folder: run the stage even where it is up to date");
  return [=](CommandContext& context) {
    if (any_given(file_flags)) {
      return files(context);
    }
    require_config(context, file_flags);
    return run_one_stage(pipeline::stage_table(), stage, *force, context);
  };
}

Runner stage_only(CLI::App& app, const std::string& stage) {
  return stage_or_files(app, stage, {}, nullptr);
}

void require_flag(const std::string& value, const std::string& flag, const std::string& with) {
  if (value.empty()) {
    throw_usage(flag + " is required with " + with);
  }
}

void require_output(const std::string& output, const std::vector<std::string>& inputs,
                    const CommandContext& context) {
  if (context.communicator.rank() == 0) {
    io::require_place_for(output, inputs);
  }
  distributed::keep_flight_in(io::folder_of(output));
}

const std::string& run_folder_of(const CommandContext& context) {
  const std::string& run_dir = context.options.output.run_dir;
  if (run_dir.empty()) {
    throw_usage("no run folder is named; give --config FILE or --run-dir DIR");
  }
  return run_dir;
}

}  // namespace rallrec::commands
