#include "pipeline/infer.h"

#include <memory>

#include "commands/command_list.h"
#include "commands/stage_command.h"
#include "io/files.h"

namespace rallrec::commands {
namespace {

int infer_files(const pipeline::InferFiles& files, CommandContext& context) {
  require_flag(files.model, "--model", "infer on your own files");
  require_flag(files.input, "--input", "infer on your own files");
  require_flag(files.output, "--output", "infer on your own files");
  io::require_plain_file(files.input);
  require_output(files.output, {files.input}, context);
  pipeline::infer(files, context.options, context.communicator);
  return 0;
}

Runner define(CLI::App& app) {
  const auto files = std::make_shared<pipeline::InferFiles>();
  std::vector<const CLI::Option*> flags = {
      app.add_option("--model", files->model, "Hugging Face folder of the model")->type_name("DIR"),
      app.add_option("--adapter", files->adapter,
                     "LoRA adapter in the PEFT layout [none: the model as it is]")
          ->type_name("DIR"),
      app.add_option("--input", files->input, "Prompts: JSON Lines or a JSON array")
          ->type_name("FILE"),
      app.add_option("--output", files->output, "JSON Lines with the scores")->type_name("FILE")};
  app.add_flag("--squashed", files->squashed,
               "Also write score_squashed, which needs the whole vocabulary's logits");
  return stage_or_files(app, "infer", flags,
                        [files](CommandContext& context) { return infer_files(*files, context); });
}

}  // namespace

Command infer_command() {
  Command command;
  command.name = "infer";
  command.group = kStagesGroup;
  command.summary = "P(yes) of each prompt";
  command.description =
      "Writes the input's lines in order with their keys and score = P(yes) from the logits of the "
      "two label words at the first answer position, logit_yes and logit_no.";
  command.example =
      "mpirun -n 2 rallrec infer --model models/smollm2 --adapter runs/mine/adapter --input "
      "test.jsonl --output scores.jsonl";
  command.define = define;
  command.uses_model = true;
  command.reads_rows = true;
  return command;
}

}  // namespace rallrec::commands
