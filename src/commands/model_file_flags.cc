#include "commands/model_file_flags.h"

#include "commands/stage_command.h"

namespace rallrec::commands {

std::vector<const CLI::Option*> add_model_file_flags(CLI::App& app, pipeline::ModelFiles& files,
                                                     bool adapter, const std::string& input,
                                                     const std::string& output) {
  std::vector<const CLI::Option*> flags = {
      app.add_option("--model", files.model, "Hugging Face folder of the model")->type_name("DIR"),
      app.add_option("--input", files.input, input)->type_name("FILE"),
      app.add_option("--output", files.output, output)->type_name("FILE")};
  if (adapter) {
    flags.push_back(
        app.add_option("--adapter", files.adapter, "LoRA adapter in the PEFT layout [none]")
            ->type_name("DIR"));
  }
  return flags;
}

void require_model_files(const pipeline::ModelFiles& files, const std::string& command,
                         const CommandContext& context) {
  const std::string with = command + " on your own files";
  require_flag(files.model, "--model", with);
  require_flag(files.input, "--input", with);
  require_flag(files.output, "--output", with);
  require_output(files.output, {files.input}, context);
}

}  // namespace rallrec::commands
