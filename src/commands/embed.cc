#include "pipeline/embed.h"

#include <memory>

#include "commands/command_list.h"
#include "commands/model_file_flags.h"
#include "commands/stage_command.h"

namespace rallrec::commands {
namespace {

Runner define(CLI::App& app) {
  const auto files = std::make_shared<pipeline::ModelFiles>();
  const auto flags = add_model_file_flags(app, *files, false, "Texts: JSON Lines {\"text\": …}",
                                          "NumPy file, fp32 [lines, hidden]");
  return stage_or_files(app, "embed", flags, [files](CommandContext& context) {
    require_model_files(*files, "embed", context);
    pipeline::embed_file(*files, context.options, context.communicator);
    return 0;
  });
}

}  // namespace

Command embed_command() {
  Command command;
  command.name = "embed";
  command.group = kStagesGroup;
  command.summary = "Text embeddings from the model's hidden states";
  command.description =
      "On your own files: for each line {\"text\": …} the mean over all tokens of the final-norm "
      "hidden state, without a chat frame. In a run folder: title and description of every item.";
  command.example = "rallrec embed --model DIR --input texts.jsonl --output vectors.npy";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
