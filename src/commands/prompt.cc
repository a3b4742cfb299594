#include "commands/command_list.h"
#include "commands/stage_command.h"

namespace rallrec::commands {

Command prompt_command() {
  Command command;
  command.name = "prompt";
  command.group = kStagesGroup;
  command.summary = "Histories to prompts for train, valid and test";
  command.description =
      "Re-ranks each sample's history by relevance and recency, fills the prompt templates, and "
      "writes the prompts of train, valid and test as JSON lines.";
  command.example = "rallrec prompt --config configs/demo.toml";
  command.define = [](CLI::App& app) { return stage_only(app, "prompt"); };
  return command;
}

}  // namespace rallrec::commands
