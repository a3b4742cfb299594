#include "pipeline/logits.h"

#include <memory>

#include "commands/command_list.h"
#include "commands/model_file_flags.h"

namespace rallrec::commands {
namespace {

Runner define(CLI::App& app) {
  const auto files = std::make_shared<pipeline::ModelFiles>();
  add_model_file_flags(app, *files, true, "Token ids: JSON Lines {\"ids\": [...]}",
                       "Safetensors file with the tensor `logits`");
  return [files](CommandContext& context) {
    require_model_files(*files, "logits", context);
    pipeline::write_logits(*files, context.options, context.communicator);
    return 0;
  };
}

}  // namespace

Command logits_command() {
  Command command;
  command.name = "logits";
  command.group = kFilesGroup;
  command.summary = "The model's logits after each list of token ids";
  command.description =
      "Writes a safetensors file with the tensor `logits`, fp32 [lines, vocabulary]: for each line "
      "{\"ids\": [...]} of the input the logits at its last position.";
  command.example = "rallrec logits --model DIR --input ids.jsonl --output logits.safetensors";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
