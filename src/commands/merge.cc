#include "pipeline/merge.h"

#include <spdlog/spdlog.h>

#include <memory>

#include "commands/command_list.h"
#include "core/error.h"

namespace rallrec::commands {
namespace {

int run(const pipeline::MergeFiles& files, CommandContext& context) {
  if (files.model.empty() || files.adapter.empty() || files.output.empty()) {
    throw_usage("merge needs --model DIR, --adapter DIR and --output DIR");
  }
  if (context.communicator.rank() == 0) {
    const std::int64_t merged = pipeline::merge_adapter(files);
    spdlog::info("{} weights merged; the model is in {}", merged, files.output);
  }
  return 0;
}

Runner define(CLI::App& app) {
  const auto files = std::make_shared<pipeline::MergeFiles>();
  app.add_option("--model", files->model, "Hugging Face folder of the base model")
      ->type_name("DIR");
  app.add_option("--adapter", files->adapter, "PEFT adapter folder")->type_name("DIR");
  app.add_option("--output", files->output, "Where the merged model goes; must not exist")
      ->type_name("DIR");
  return [files](CommandContext& context) { return run(*files, context); };
}

}  // namespace

Command merge_command() {
  Command command;
  command.name = "merge";
  command.group = kFilesGroup;
  command.summary = "A model folder with an adapter merged into its weights";
  command.description =
      "Writes the model again with W + (alpha / r) B A in place of every adapted weight: the same "
      "shards and element types (fp32, bf16 or fp16, never int8), all other tensors, config and "
      "tokenizer as they were. A few megabytes at a time are in memory.";
  command.example = "rallrec merge --model DIR --adapter my_run/adapter --output merged";
  command.define = define;
  return command;
}

}  // namespace rallrec::commands
