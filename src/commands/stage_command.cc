#include "commands/stage_command.h"

#include <memory>
#include <utility>

#include "core/error.h"
#include "pipeline/run_pipeline.h"
#include "pipeline/stage_table.h"

namespace rallrec::commands {
namespace {

int run_stage(const std::string& stage, bool force, CommandContext& context) {
  pipeline::RunRequest request;
  request.run_dir = run_folder_of(context);
  request.stages = {stage};
  request.force = force;
  request.resume = context.resume;
  pipeline::run_pipeline(request, context.options, context.communicator, pipeline::stage_table());
  return 0;
}

// "--model, --input", for the message that names both forms.
std::string names_of(const std::vector<const CLI::Option*>& flags) {
  std::string names;
  for (const CLI::Option* flag : flags) {
    names += (names.empty() ? "" : ", ") + flag->get_name();
  }
  return names;
}

}  // namespace

Runner stage_or_files(CLI::App& app, const std::string& stage,
                      std::vector<const CLI::Option*> file_flags, Runner files) {
  const auto force = std::make_shared<bool>(false);
  app.add_flag("--force", *force, "In a run folder: run the stage even where it is up to date");
  return [=](CommandContext& context) {
    for (const CLI::Option* flag : file_flags) {
      if (flag->count() > 0) {
        pipeline::require_device(pipeline::find_stage(pipeline::stage_table(), stage),
                                 context.options);
        return files(context);
      }
    }
    if (context.config_file.empty()) {
      throw_usage("give --config FILE to run the stage in a run folder" +
                  (file_flags.empty() ? std::string()
                                      : ", or " + names_of(file_flags) + " for your own files"));
    }
    return run_stage(stage, *force, context);
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

const std::string& run_folder_of(const CommandContext& context) {
  const std::string& run_dir = context.options.output.run_dir;
  if (run_dir.empty()) {
    throw_usage("no run folder is named; give --config FILE or --run-dir DIR");
  }
  return run_dir;
}

}  // namespace rallrec::commands
